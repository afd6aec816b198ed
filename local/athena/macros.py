"""Trino's functions where DuckDB's of the same purpose differ: each macro says in what.

A macro raises by casting a text that names Athena's error to the type of its result: unlike `error()` that may stand in
TRY. Only texts cannot be raised so.
"""

MACROS = r"""
-- A start of 0, or before the first character, gives '' (DuckDB: the whole text); DuckDB reads negative lengths backwards.
athena_substr(s, i) AS CASE WHEN i = 0 OR i < -length(s) THEN '' ELSE substring(s, i) END
athena_substr_of_length(s, i, n) AS
    CASE WHEN i = 0 OR i < -length(s) OR n <= 0 THEN '' ELSE substring(s, i, n) END
-- NULL when there are fewer parts (DuckDB: '').
athena_split_part(s, d, i) AS
    CASE WHEN i < 1 THEN error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero')
         ELSE list_extract(string_split(s, d), i) END
-- NULL without a match (DuckDB: '').
athena_regexp_extract(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END
-- All white space (DuckDB: blanks).
athena_trim(s) AS trim(s, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
athena_ltrim(s) AS ltrim(s, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
athena_rtrim(s) AS rtrim(s, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))
-- NULL for a text that is no JSON (DuckDB: an error) and for objects and lists (DuckDB: their text).
athena_json_or_null(j) AS CASE WHEN json_valid(j) THEN j END
athena_json_extract(j, p) AS json_extract(athena_json_or_null(j), p)
athena_json_extract_scalar(j, p) AS
    CASE WHEN json_type(athena_json_or_null(j), p) NOT IN ('OBJECT', 'ARRAY', 'NULL')
         THEN json_extract_string(athena_json_or_null(j), p) END
athena_json_parse(s) AS
    CASE WHEN s IS NULL OR json_valid(s) THEN json(athena_json_or_null(s))
         ELSE error('INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: ' || s) END
athena_json_array_length(j) AS
    CASE WHEN json_type(athena_json_or_null(j)) = 'ARRAY'
         THEN CAST(json_array_length(athena_json_or_null(j)) AS BIGINT) END
athena_json_to_varchar(j) AS
    CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY')
         THEN error('INVALID_CAST_ARGUMENT: Cannot cast JSON to varchar: ' || j)
         WHEN json_type(j) <> 'NULL' THEN json_extract_string(j, '$') END
-- IEEE division: Infinity and NaN (DuckDB here: an error).
athena_divide_doubles(a, b) AS
    CASE WHEN b <> 0 THEN a / b
         WHEN b IS NULL OR a IS NULL THEN NULL
         WHEN a = 0 OR isnan(a) THEN CAST('nan' AS DOUBLE)
         WHEN a > 0 THEN CAST('inf' AS DOUBLE)
         ELSE CAST('-inf' AS DOUBLE) END
-- The digits of a decimal as a whole number.
athena_digits(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT)
-- Rounds half away from zero.
athena_divide_digits(a, b) AS (abs(a) * 2 + abs(b)) / (abs(b) * 2) * sign(a) * sign(b)
-- Dates stay dates (DuckDB: timestamps), and have no hours to add.
athena_date_plus(d, i) AS
    CASE WHEN CAST(d + i AS DATE) = d + i THEN CAST(d + i AS DATE)
         WHEN d IS NULL OR i IS NULL THEN NULL
         ELSE CAST('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date' AS DATE) END
athena_varchar_of_timestamp(t) AS strftime(t, '%Y-%m-%d %H:%M:%S.%g')
athena_varchar_of_timestamp_with_zone(t) AS strftime(timezone('UTC', t), '%Y-%m-%d %H:%M:%S.%g UTC')
-- Very large and very small numbers are written differently by Java: refused.
athena_varchar_of_double(x) AS
    CASE WHEN isnan(x) THEN 'NaN' WHEN x = CAST('inf' AS DOUBLE) THEN 'Infinity'
         WHEN x = CAST('-inf' AS DOUBLE) THEN '-Infinity'
         WHEN x = 0 OR (abs(x) >= 0.001 AND abs(x) < 10000000) THEN CAST(x AS VARCHAR)
         WHEN x IS NOT NULL THEN error('NOT_SUPPORTED: casting so large or small a number to varchar') END
athena_element_at(a, i) AS
    CASE WHEN i = 0 THEN list_extract(a, CAST('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' AS INTEGER))
         ELSE list_extract(a, i) END
-- Out of bounds is an error (DuckDB: NULL).
athena_subscript(a, i) AS
    CASE WHEN i < 1 OR i > len(a)
         THEN list_extract(a, CAST('INVALID_FUNCTION_ARGUMENT: Array subscript is out of bounds' AS INTEGER))
         ELSE list_extract(a, i) END
athena_map_subscript(m, k) AS
    CASE WHEN m IS NULL OR map_contains(m, k) THEN map_extract_value(m, k)
         ELSE list_extract(map_values(m), CAST('INVALID_FUNCTION_ARGUMENT: Key not present in map' AS INTEGER)) END
athena_slice(a, i, n) AS
    CASE WHEN i < 1 OR n < 0
         THEN list_slice(a, CAST('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' AS INTEGER), 1)
         ELSE list_slice(a, i, i + n - 1) END
-- NULL elements make the answer unknown unless it is decided without them.
athena_any_match(a) AS CASE WHEN a IS NOT NULL THEN CASE WHEN len(a) = 0 THEN FALSE ELSE list_bool_or(a) END END
athena_all_match(a) AS CASE WHEN a IS NOT NULL THEN CASE WHEN len(a) = 0 THEN TRUE ELSE list_bool_and(a) END END
athena_dates(a, b) AS list_transform(generate_series(a, b, INTERVAL 1 DAY), lambda d : CAST(d AS DATE))
athena_geometric_mean(x) AS exp(avg(ln(x)))
-- E. B. Wilson's interval of a proportion.
athena_wilson_lower(k, n, z) AS
    (k + z * z / 2e0 - z * sqrt(k * (n - k) / CAST(n AS DOUBLE) + z * z / 4e0)) / (n + z * z)
athena_wilson_upper(k, n, z) AS
    (k + z * z / 2e0 + z * sqrt(k * (n - k) / CAST(n AS DOUBLE) + z * z / 4e0)) / (n + z * z)
"""


def macro_statements() -> list[str]:
    """Return the statements that make the macros."""
    definitions: list[str] = []
    for line in MACROS.strip().splitlines():
        if line.startswith("--"):
            continue
        if line.startswith("athena_"):
            definitions.append(line)
        else:
            definitions[-1] += "\n" + line
    return [f"CREATE MACRO {definition}" for definition in definitions]
