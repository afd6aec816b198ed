-- Trino's functions, operators and casts as typed macros of DuckDB. This list is the allow-list: a function without a macro here
-- or a rule in functions.py is refused. Overloads stand for Trino's signatures, so DuckDB's binder refuses other argument types.
-- DuckDB takes a decimal for a double where nothing else fits: macros that must not do so have a decimal overload that fails.

-- Operators ------------------------------------------------------------------------------------------------------------------
-- A NULL in a list makes a comparison of lists unknown in Trino.
CREATE MACRO trino_no_lists() AS CAST(error('NOT_SUPPORTED: A comparison of arrays or maps is not supported by the local Athena') AS VARCHAR);
-- The second operand of a comparison. DuckDB would compare texts and booleans with anything.
CREATE MACRO trino_same(a VARCHAR, b VARCHAR) AS b,
    (a VARCHAR, b) AS CAST(error('TYPE_MISMATCH: Cannot compare a varchar with another type') AS VARCHAR),
    (a, b VARCHAR) AS CAST(error('TYPE_MISMATCH: Cannot compare a varchar with another type') AS VARCHAR),
    (a BOOLEAN, b BOOLEAN) AS b,
    (a BOOLEAN, b) AS CAST(error('TYPE_MISMATCH: Cannot compare a boolean with another type') AS BOOLEAN),
    (a, b BOOLEAN) AS CAST(error('TYPE_MISMATCH: Cannot compare a boolean with another type') AS BOOLEAN),
    (a VARCHAR[], b) AS trino_no_lists(), (a, b VARCHAR[]) AS trino_no_lists(), (a BIGINT[], b BIGINT[]) AS trino_no_lists(), (a DOUBLE[], b DOUBLE[]) AS trino_no_lists(),
    (a DATE[], b DATE[]) AS trino_no_lists(), (a BOOLEAN[], b BOOLEAN[]) AS trino_no_lists(),
    (a MAP(VARCHAR, VARCHAR), b MAP(VARCHAR, VARCHAR)) AS trino_no_lists(),
    (a, b) AS b;
CREATE MACRO trino_condition(a BOOLEAN) AS a;
CREATE MACRO trino_text(a VARCHAR) AS a;
-- DuckDB adds whole numbers to dates, and dates subtract to whole numbers.
CREATE MACRO trino_number(a DATE) AS CAST(error('TYPE_MISMATCH: Arithmetic on dates: use date_add or date_diff') AS VARCHAR),
    (a TIMESTAMP) AS CAST(error('TYPE_MISMATCH: Arithmetic on timestamps: use date_add or date_diff') AS VARCHAR),
    (a TIMESTAMPTZ) AS CAST(error('TYPE_MISMATCH: Arithmetic on timestamps: use date_add or date_diff') AS VARCHAR),
    (a) AS a;
CREATE MACRO trino_divide(a INTEGER, b INTEGER) AS a // b,
    (a BIGINT, b BIGINT) AS a // b,
    (a DECIMAL(38, 10), b DECIMAL(38, 10)) AS
        CAST(error('NOT_SUPPORTED: A division of decimals, whose scale depends on the version of Trino, is not supported by the local Athena. Cast to double.') AS DOUBLE),
    (a DOUBLE, b DOUBLE) AS a / b;
CREATE MACRO trino_plus_days(a DATE, i INTERVAL) AS CAST(a + i AS DATE), (a TIMESTAMP, i INTERVAL) AS a + i, (a TIMESTAMPTZ, i INTERVAL) AS a + i;
CREATE MACRO trino_plus_time(a DATE, i INTERVAL) AS CAST(error('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date') AS TIMESTAMP),
    (a TIMESTAMP, i INTERVAL) AS a + i, (a TIMESTAMPTZ, i INTERVAL) AS a + i;
CREATE MACRO trino_count(n BIGINT) AS n;
CREATE MACRO trino_local(a DATE, zone) AS CAST(error('TYPE_MISMATCH: Type of value must be a time or timestamp, not date') AS TIMESTAMP),
    (a TIMESTAMP, zone) AS timezone(zone, timezone('UTC', a)),
    (a TIMESTAMPTZ, zone) AS timezone(zone, a);
CREATE MACRO trino_subscript(a VARCHAR, i BIGINT) AS CAST(error('TYPE_MISMATCH: A varchar has no subscript') AS VARCHAR),
    (a, i BIGINT) AS CASE WHEN i < 1 OR i > len(a) THEN error('INVALID_FUNCTION_ARGUMENT: Array subscript is out of bounds')
                          ELSE list_extract(a, i) END,
    (a, k VARCHAR) AS CASE WHEN a IS NULL OR k IS NULL OR map_contains(a, k) THEN map_extract_value(a, k)
                           ELSE error('INVALID_FUNCTION_ARGUMENT: Key not present in map') END;

-- Casts ----------------------------------------------------------------------------------------------------------------------
-- DuckDB reads more texts as values than Trino. The odd texts are those that Java reads and DuckDB does not, or only some Trinos do.
CREATE MACRO trino_integers() AS '[+-]?\d+';
CREATE MACRO trino_odd_integers() AS '\s*[+-]?\p{Nd}+\s*';
CREATE MACRO trino_doubles() AS '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity';
CREATE MACRO trino_odd_doubles() AS '\s*[+-]?(0[xX].*|(\p{Nd}+\.?\p{Nd}*|\.\p{Nd}+)([eE][+-]?\p{Nd}+)?[dDfF]?|NaN|Infinity)\s*';
CREATE MACRO trino_booleans() AS '(?i:t|true|f|false|1|0)';
CREATE MACRO trino_odd_booleans() AS '\s*(?i:t|true|f|false|1|0)\s*';
CREATE MACRO trino_dates() AS '\d{4}-\d{1,2}-\d{1,2}';
CREATE MACRO trino_moments() AS '\d{4}-\d{1,2}-\d{1,2}( ([01]?\d|2[0-3]):\d{2}(:\d{2}(\.\d{1,3})?)?)?';
CREATE MACRO trino_odd_moments() AS '\s*[+-]?\p{Nd}{4,}-.*';
CREATE MACRO trino_reads(s VARCHAR, pattern, odd, type) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, pattern) THEN s
         WHEN regexp_full_match(s, odd) THEN error('NOT_SUPPORTED: A cast of this form of text is not supported by the local Athena: ' || s)
         ELSE error('INVALID_CAST_ARGUMENT: Cannot cast to ' || type || ': ' || s) END;
CREATE MACRO trino_may_read(s VARCHAR, pattern, odd) AS
    CASE WHEN regexp_full_match(s, pattern) THEN s
         WHEN regexp_full_match(s, odd) THEN error('NOT_SUPPORTED: A cast of this form of text is not supported by the local Athena: ' || s) END;
CREATE MACRO trino_cast_integer(a BIGINT) AS CAST(a AS INTEGER),
    (a DECIMAL(38, 10)) AS CAST(round(a) AS INTEGER),
    (a DOUBLE) AS CAST(round(a) AS INTEGER),
    (a BOOLEAN) AS CAST(a AS INTEGER),
    (a VARCHAR) AS CAST(trino_reads(a, trino_integers(), trino_odd_integers(), 'integer') AS INTEGER);
CREATE MACRO trino_cast_bigint(a BIGINT) AS a,
    (a DECIMAL(38, 10)) AS CAST(round(a) AS BIGINT),
    (a DOUBLE) AS CAST(round(a) AS BIGINT),
    (a BOOLEAN) AS CAST(a AS BIGINT),
    (a VARCHAR) AS CAST(trino_reads(a, trino_integers(), trino_odd_integers(), 'bigint') AS BIGINT);
CREATE MACRO trino_cast_double(a DOUBLE) AS a,
    (a BOOLEAN) AS CAST(a AS DOUBLE),
    (a VARCHAR) AS CAST(trino_reads(a, trino_doubles(), trino_odd_doubles(), 'double') AS DOUBLE);
CREATE MACRO trino_cast_boolean(a BOOLEAN) AS a,
    (a BIGINT) AS CAST(a AS BOOLEAN),
    (a DECIMAL(38, 10)) AS CAST(error('NOT_SUPPORTED: A cast of a decimal to boolean is not supported by the local Athena') AS BOOLEAN),
    (a DOUBLE) AS CAST(a AS BOOLEAN),
    (a VARCHAR) AS CAST(trino_reads(a, trino_booleans(), trino_odd_booleans(), 'boolean') AS BOOLEAN);
CREATE MACRO trino_cast_date(a DATE) AS a,
    (a TIMESTAMP) AS CAST(a AS DATE),
    (a TIMESTAMPTZ) AS CAST(timezone('UTC', a) AS DATE),
    (a VARCHAR) AS CAST(trino_reads(a, trino_dates(), trino_odd_moments(), 'date') AS DATE);
CREATE MACRO trino_cast_timestamp(a DATE) AS CAST(a AS TIMESTAMP),
    (a TIMESTAMP) AS a,
    (a TIMESTAMPTZ) AS timezone('UTC', a),
    (a VARCHAR) AS CAST(trino_reads(a, trino_moments(), trino_odd_moments(), 'timestamp') AS TIMESTAMP);
CREATE MACRO trino_cast_varchar(a VARCHAR) AS a,
    (a BIGINT) AS CAST(a AS VARCHAR),
    (a BOOLEAN) AS CAST(a AS VARCHAR),
    (a DATE) AS CAST(a AS VARCHAR),
    (a DECIMAL(38, 10)) AS CAST(error('NOT_SUPPORTED: A cast of a decimal to varchar is not supported by the local Athena') AS VARCHAR),
    (a DOUBLE) AS CAST(error('NOT_SUPPORTED: A cast of a double to varchar, which depends on the version of Trino, is not supported by the local Athena') AS VARCHAR),
    (a TIMESTAMP) AS CAST(error('NOT_SUPPORTED: A cast of a timestamp to varchar is not supported by the local Athena: use date_format') AS VARCHAR),
    (a TIMESTAMPTZ) AS CAST(error('NOT_SUPPORTED: A cast of a timestamp to varchar is not supported by the local Athena: use date_format') AS VARCHAR);
CREATE MACRO trino_try_cast_integer(a VARCHAR) AS TRY_CAST(trino_may_read(a, trino_integers(), trino_odd_integers()) AS INTEGER), (a BIGINT) AS TRY_CAST(a AS INTEGER);
CREATE MACRO trino_try_cast_bigint(a VARCHAR) AS TRY_CAST(trino_may_read(a, trino_integers(), trino_odd_integers()) AS BIGINT), (a BIGINT) AS a;
CREATE MACRO trino_try_cast_double(a VARCHAR) AS
    TRY_CAST(trino_may_read(a, trino_doubles(), trino_odd_doubles()) AS DOUBLE);
CREATE MACRO trino_try_cast_boolean(a VARCHAR) AS TRY_CAST(trino_may_read(a, trino_booleans(), trino_odd_booleans()) AS BOOLEAN);
CREATE MACRO trino_try_cast_date(a VARCHAR) AS TRY_CAST(trino_may_read(a, trino_dates(), trino_odd_moments()) AS DATE);
CREATE MACRO trino_try_cast_timestamp(a VARCHAR) AS
    TRY_CAST(trino_may_read(a, trino_moments(), trino_odd_moments()) AS TIMESTAMP);

CREATE MACRO trino_no_decimal(name) AS
    CAST(error('NOT_SUPPORTED: ' || name || ' of a decimal is not supported by the local Athena. Cast to double.') AS DOUBLE);

-- Numbers --------------------------------------------------------------------------------------------------------------------
CREATE MACRO trino_abs(x INTEGER) AS abs(x), (x BIGINT) AS abs(x), (x DECIMAL(38, 10)) AS trino_no_decimal('abs'), (x DOUBLE) AS abs(x);
CREATE MACRO trino_sign(x INTEGER) AS CAST(sign(x) AS INTEGER), (x BIGINT) AS CAST(sign(x) AS BIGINT),
    (x DECIMAL(38, 10)) AS trino_no_decimal('sign'), (x DOUBLE) AS CASE WHEN x = 0 THEN x ELSE CAST(sign(x) AS DOUBLE) END;
CREATE MACRO trino_round(x INTEGER) AS x, (x BIGINT) AS x, (x DECIMAL(38, 10)) AS trino_no_decimal('round'), (x DOUBLE) AS round(x),
    (x BIGINT, n INTEGER) AS CAST(error('NOT_SUPPORTED: round of an integer to a position is not supported by the local Athena') AS BIGINT),
    (x DECIMAL(38, 10), n INTEGER) AS trino_no_decimal('round'), (x DOUBLE, n INTEGER) AS round(x, n);
CREATE MACRO trino_ceil(x INTEGER) AS x, (x BIGINT) AS x, (x DECIMAL(38, 10)) AS trino_no_decimal('ceil'), (x DOUBLE) AS ceil(x);
CREATE MACRO trino_ceiling(x INTEGER) AS x, (x BIGINT) AS x, (x DECIMAL(38, 10)) AS trino_no_decimal('ceiling'), (x DOUBLE) AS ceil(x);
CREATE MACRO trino_floor(x INTEGER) AS x, (x BIGINT) AS x, (x DECIMAL(38, 10)) AS trino_no_decimal('floor'), (x DOUBLE) AS floor(x);
CREATE MACRO trino_truncate(x DECIMAL(38, 10)) AS trino_no_decimal('truncate'), (x DOUBLE) AS trunc(x);
CREATE MACRO trino_mod(a INTEGER, b INTEGER) AS a % b, (a BIGINT, b BIGINT) AS a % b,
    (a DECIMAL(38, 10), b DECIMAL(38, 10)) AS trino_no_decimal('mod'), (a DOUBLE, b DOUBLE) AS a % b;
CREATE MACRO trino_power(x DOUBLE, y DOUBLE) AS power(x, y);
CREATE MACRO trino_pow(x DOUBLE, y DOUBLE) AS power(x, y);
CREATE MACRO trino_sqrt(x DOUBLE) AS CASE WHEN x < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(x) END;
CREATE MACRO trino_exp(x DOUBLE) AS exp(x);
CREATE MACRO trino_ln(x DOUBLE) AS CASE WHEN x > 0 THEN ln(x) WHEN x = 0 THEN CAST('-inf' AS DOUBLE) WHEN x < 0 THEN CAST('nan' AS DOUBLE) ELSE x END;
CREATE MACRO trino_log10(x DOUBLE) AS CASE WHEN x > 0 THEN log10(x) WHEN x = 0 THEN CAST('-inf' AS DOUBLE) WHEN x < 0 THEN CAST('nan' AS DOUBLE) ELSE x END;
CREATE MACRO trino_is_nan(x DOUBLE) AS isnan(x);
CREATE MACRO trino_is_infinite(x DOUBLE) AS isinf(x);
CREATE MACRO trino_is_finite(x DOUBLE) AS isfinite(x);
CREATE MACRO trino_random() AS random();
-- NULL if any argument is (DuckDB ignores them).
CREATE MACRO trino_greatest(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN greatest(a, trino_same(a, b)) END,
    (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN greatest(a, trino_same(a, b), trino_same(a, c)) END;
CREATE MACRO trino_least(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN least(a, trino_same(a, b)) END,
    (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN least(a, trino_same(a, b), trino_same(a, c)) END;
-- E. B. Wilson's interval of a proportion.
CREATE MACRO trino_wilson_interval_lower(k BIGINT, n BIGINT, z DOUBLE) AS
    (k + z * z / 2e0 - z * sqrt(k * (n - k) / CAST(n AS DOUBLE) + z * z / 4e0)) / (n + z * z);
CREATE MACRO trino_wilson_interval_upper(k BIGINT, n BIGINT, z DOUBLE) AS
    (k + z * z / 2e0 + z * sqrt(k * (n - k) / CAST(n AS DOUBLE) + z * z / 4e0)) / (n + z * z);

-- Texts ----------------------------------------------------------------------------------------------------------------------
CREATE MACRO trino_length(s VARCHAR) AS length(s);
CREATE MACRO trino_lower(s VARCHAR) AS lower(s);
-- Java leaves ß as it is.
CREATE MACRO trino_upper(s VARCHAR) AS replace(upper(replace(s, 'ß', chr(57344))), chr(57344), 'ß');
CREATE MACRO trino_strpos(s VARCHAR, t VARCHAR) AS CAST(strpos(s, t) AS BIGINT);
CREATE MACRO trino_starts_with(s VARCHAR, t VARCHAR) AS starts_with(s, t);
-- A start of 0, or before the first character, gives '' (DuckDB: the whole text); DuckDB reads negative lengths backwards.
CREATE MACRO trino_substr(s VARCHAR, i BIGINT) AS
        CASE WHEN s IS NULL OR i IS NULL THEN NULL WHEN i = 0 OR i < -length(s) THEN '' ELSE substring(s, i) END,
    (s VARCHAR, i BIGINT, n BIGINT) AS
        CASE WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL WHEN i = 0 OR i < -length(s) OR n <= 0 THEN '' ELSE substring(s, i, n) END;
CREATE MACRO trino_substring(s VARCHAR, i BIGINT) AS trino_substr(s, i), (s VARCHAR, i BIGINT, n BIGINT) AS trino_substr(s, i, n);
-- All white space (DuckDB: blanks).
CREATE MACRO trino_white_space() AS array_to_string(list_transform([9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 5760, 8192, 8193, 8194, 8195, 8196,
    8197, 8198, 8200, 8201, 8202, 8232, 8233, 8287, 12288], lambda c : chr(c)), '');
CREATE MACRO trino_trim(s VARCHAR) AS trim(s, trino_white_space()), (s VARCHAR, t VARCHAR) AS trim(s, t);
CREATE MACRO trino_ltrim(s VARCHAR) AS ltrim(s, trino_white_space()), (s VARCHAR, t VARCHAR) AS ltrim(s, t);
CREATE MACRO trino_rtrim(s VARCHAR) AS rtrim(s, trino_white_space()), (s VARCHAR, t VARCHAR) AS rtrim(s, t);
CREATE MACRO trino_lpad(s VARCHAR, n BIGINT, t VARCHAR) AS
    CASE WHEN n < 0 OR t = '' THEN error('INVALID_FUNCTION_ARGUMENT: Wrong length or empty padding') ELSE lpad(s, CAST(n AS INTEGER), t) END;
CREATE MACRO trino_rpad(s VARCHAR, n BIGINT, t VARCHAR) AS
    CASE WHEN n < 0 OR t = '' THEN error('INVALID_FUNCTION_ARGUMENT: Wrong length or empty padding') ELSE rpad(s, CAST(n AS INTEGER), t) END;
CREATE MACRO trino_replace(s VARCHAR, t VARCHAR) AS replace(s, t, ''),
    (s VARCHAR, t VARCHAR, u VARCHAR) AS
        CASE WHEN t = '' THEN error('NOT_SUPPORTED: Replacing an empty text is not supported by the local Athena') ELSE replace(s, t, u) END;
CREATE MACRO trino_split(s VARCHAR, d VARCHAR) AS
    CASE WHEN d = '' THEN error('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string') ELSE string_split(s, d) END;
-- NULL when there are fewer parts (DuckDB: '').
CREATE MACRO trino_split_part(s VARCHAR, d VARCHAR, i BIGINT) AS
    CASE WHEN i < 1 THEN error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero') ELSE list_extract(trino_split(s, d), i) END;
-- Java and RE2 differ about line ends, which `.`, `$` and `\s` see.
CREATE MACRO trino_one_line(s VARCHAR) AS
    CASE WHEN regexp_matches(s, '[\n\v\r\x{85}\x{2028}\x{2029}]')
         THEN error('NOT_SUPPORTED: This regular expression on a text with line ends is not supported by the local Athena') ELSE s END;
-- NULL without a match (DuckDB: '').
CREATE MACRO trino_regexp_extract(s VARCHAR, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
-- NULL for a text that is not an object or a list, and for objects and lists in it (DuckDB: their text).
CREATE MACRO trino_json(s VARCHAR) AS
    CASE WHEN NOT regexp_matches(s, '^\s*[\[{]') THEN NULL
         WHEN NOT json_valid(s) OR regexp_matches(s, 'NaN|Infinity|,\s*[\]}]')
         THEN error('NOT_SUPPORTED: JSON that is not well-formed is not supported by the local Athena')
         ELSE s END;
-- A number is given as it is written (1.10, 1E5), but DuckDB reads it: so each number becomes a text, between private marks first.
CREATE MACRO trino_written_numbers(s) AS
    CASE WHEN contains(s, chr(57344)) OR contains(s, chr(57345))
         THEN error('NOT_SUPPORTED: JSON with a number beside U+E000 or U+E001 is not supported by the local Athena')
         ELSE replace(replace(replace(regexp_replace(CAST(s AS VARCHAR),
                '("(?:[^"\\]|\\.)*")|(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)',
                '\1' || chr(57344) || '\2' || chr(57345), 'g'),
              chr(57344) || chr(57345), ''), chr(57344), '"'), chr(57345), '"') END;
CREATE MACRO trino_json_extract_scalar(s VARCHAR, p) AS
    CASE WHEN json_type(trino_json(s), p) IN ('VARCHAR', 'BOOLEAN') THEN json_extract_string(trino_json(s), p)
         WHEN json_type(trino_json(s), p) NOT IN ('OBJECT', 'ARRAY', 'NULL')
         THEN json_extract_string(trino_written_numbers(trino_json(s)), p) END;
CREATE MACRO trino_json_array_length(s VARCHAR) AS
    CASE WHEN json_type(trino_json(s)) = 'ARRAY' THEN CAST(json_array_length(trino_json(s)) AS BIGINT) END;

-- Dates and times ------------------------------------------------------------------------------------------------------------
CREATE MACRO trino_now() AS now();
CREATE MACRO trino_date(a DATE) AS a, (a TIMESTAMP) AS trino_cast_date(a), (a TIMESTAMPTZ) AS trino_cast_date(a), (a VARCHAR) AS trino_cast_date(a);
CREATE MACRO trino_day_unit(unit) AS
    CASE WHEN unit IN ('millisecond', 'second', 'minute', 'hour')
         THEN error('INVALID_FUNCTION_ARGUMENT: ''' || unit || ''' is not a valid DATE field') ELSE unit END;
CREATE MACRO trino_date_trunc(unit, a DATE) AS CAST(date_trunc(trino_day_unit(unit), a) AS DATE),
    (unit, a TIMESTAMP) AS date_trunc(unit, a),
    (unit, a TIMESTAMPTZ) AS date_trunc(unit, a);
-- Whole units between two moments (DuckDB's date_diff counts borders).
CREATE MACRO trino_date_diff(unit, a DATE, b DATE) AS date_sub(trino_day_unit(unit), a, b),
    (unit, a TIMESTAMP, b TIMESTAMP) AS date_sub(unit, a, b),
    (unit, a TIMESTAMPTZ, b TIMESTAMPTZ) AS date_sub(unit, a, b);
CREATE MACRO trino_strftime(a DATE, format) AS strftime(a, format),
    (a TIMESTAMP, format) AS strftime(a, format),
    (a TIMESTAMPTZ, format) AS strftime(timezone('UTC', a), format);
CREATE MACRO trino_date_parse(s VARCHAR, format, pattern) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, pattern) THEN strptime(s, format)
         ELSE error('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || s || '"') END;
CREATE MACRO trino_to_iso8601(a DATE) AS CAST(a AS VARCHAR),
    (a TIMESTAMP) AS CAST(error('NOT_SUPPORTED: to_iso8601 of a timestamp is not supported by the local Athena: use date_format') AS VARCHAR),
    (a TIMESTAMPTZ) AS CAST(error('NOT_SUPPORTED: to_iso8601 of a timestamp is not supported by the local Athena: use date_format') AS VARCHAR);
CREATE MACRO trino_from_iso8601_date(s VARCHAR) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\d{4}-\d{2}-\d{2}') THEN CAST(s AS DATE)
         ELSE error('NOT_SUPPORTED: from_iso8601_date of another form than 2026-01-31 is not supported by the local Athena') END;
CREATE MACRO trino_from_iso8601_timestamp(s VARCHAR) AS
    CASE WHEN s IS NULL OR regexp_full_match(s, '\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,3})?Z?')
         THEN timezone('UTC', CAST(rtrim(s, 'Z') AS TIMESTAMP))
         ELSE error('NOT_SUPPORTED: from_iso8601_timestamp of another form than 2026-01-31T10:00:00.000Z is not supported by the local Athena') END;
CREATE MACRO trino_utc(a DATE) AS CAST(error('FUNCTION_NOT_FOUND: Unexpected parameters for function with_timezone') AS TIMESTAMPTZ),
    (a TIMESTAMP) AS timezone('UTC', a);
CREATE MACRO trino_from_unixtime(x DOUBLE) AS to_timestamp(x);
CREATE MACRO trino_to_unixtime(a DATE) AS CAST(error('FUNCTION_NOT_FOUND: Unexpected parameters for function to_unixtime') AS DOUBLE),
    (a TIMESTAMP) AS epoch(a), (a TIMESTAMPTZ) AS epoch(a);
CREATE MACRO trino_last_day_of_month(a DATE) AS last_day(a), (a TIMESTAMP) AS last_day(a);

-- Lists and maps -------------------------------------------------------------------------------------------------------------
CREATE MACRO trino_cardinality(a VARCHAR) AS CAST(error('FUNCTION_NOT_FOUND: Unexpected parameters for function cardinality') AS BIGINT),
    (a MAP(VARCHAR, VARCHAR)) AS CAST(cardinality(a) AS BIGINT),
    (a) AS CAST(len(a) AS BIGINT);
CREATE MACRO trino_element_at(a VARCHAR, i BIGINT) AS CAST(error('FUNCTION_NOT_FOUND: Unexpected parameters for function element_at') AS VARCHAR),
    (a, i BIGINT) AS CASE WHEN i = 0 THEN error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE list_extract(a, i) END,
    (a, k VARCHAR) AS map_extract_value(a, k);
-- A NULL element makes the answer unknown unless it is decided without it.
CREATE MACRO trino_contains(a, x) AS
    CASE WHEN a IS NULL OR x IS NULL THEN NULL WHEN list_contains(a, x) THEN TRUE WHEN list_count(a) < len(a) THEN NULL ELSE FALSE END;
CREATE MACRO trino_any_match(b BOOLEAN[]) AS
    CASE WHEN b IS NULL THEN NULL WHEN list_contains(b, TRUE) THEN TRUE WHEN list_count(b) < len(b) THEN NULL ELSE FALSE END;
CREATE MACRO trino_all_match(b BOOLEAN[]) AS
    CASE WHEN b IS NULL THEN NULL WHEN list_contains(b, FALSE) THEN FALSE WHEN list_count(b) < len(b) THEN NULL ELSE TRUE END;
CREATE MACRO trino_array_max(a) AS CASE WHEN list_count(a) = len(a) THEN list_max(a) END;
CREATE MACRO trino_array_min(a) AS CASE WHEN list_count(a) = len(a) THEN list_min(a) END;
CREATE MACRO trino_array_position(a, x) AS
    CASE WHEN a IS NOT NULL AND x IS NOT NULL THEN CAST(coalesce(list_position(a, x), 0) AS BIGINT) END;
-- In the order of the list, with at most one NULL.
CREATE MACRO trino_array_distinct(a) AS list_filter(a, lambda x, i : list_position(a, x) = i);
CREATE MACRO trino_array_sort(a) AS list_sort(a);
CREATE MACRO trino_array_join(a VARCHAR[], joined VARCHAR) AS CASE WHEN a IS NOT NULL THEN coalesce(joined, '') END,
    (a BIGINT[], joined VARCHAR) AS CASE WHEN a IS NOT NULL THEN coalesce(joined, '') END;
CREATE MACRO trino_slice(a, i BIGINT, n BIGINT) AS
    CASE WHEN i < 1 OR n < 0 THEN error('NOT_SUPPORTED: slice from the end is not supported by the local Athena') ELSE list_slice(a, i, i + n - 1) END;
CREATE MACRO trino_series(series) AS
    CASE WHEN len(series) > 10000
         THEN error('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries') ELSE series END;
CREATE MACRO trino_sequence(a BIGINT, b BIGINT) AS trino_series(generate_series(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END)),
    (a BIGINT, b BIGINT, step BIGINT) AS
        CASE WHEN step = 0 OR (step > 0) <> (a <= b) AND a <> b THEN error('INVALID_FUNCTION_ARGUMENT: sequence stop value should be reached by the step')
             ELSE trino_series(generate_series(a, b, step)) END,
    (a DATE, b DATE) AS
        trino_series(list_transform(generate_series(a, b, CASE WHEN a <= b THEN INTERVAL '1' DAY ELSE INTERVAL '-1' DAY END), lambda d : CAST(d AS DATE)));
CREATE MACRO trino_flatten(a) AS flatten(a);
CREATE MACRO trino_map(k, v) AS map(k, v);
CREATE MACRO trino_map_keys(m) AS map_keys(m);
CREATE MACRO trino_map_values(m) AS map_values(m);

-- Aggregates: what they take, and what becomes of a sum of integers, which is a bigint or overflows (DuckDB: 128 bits) ----------
CREATE MACRO trino_addend(a BOOLEAN) AS CAST(error('FUNCTION_NOT_FOUND: Unexpected parameters (boolean) for function sum') AS DOUBLE), (a) AS a;
CREATE MACRO trino_narrow(a HUGEINT) AS CAST(a AS BIGINT), (a) AS a;
CREATE MACRO trino_window_sum(a BIGINT) AS CAST(sum(a) AS BIGINT), (a DECIMAL(38, 10)) AS trino_no_decimal('sum over a window of'), (a DOUBLE) AS sum(a);
CREATE MACRO trino_measure(a DECIMAL(38, 10)) AS trino_no_decimal('avg'), (a DOUBLE) AS a;
CREATE MACRO trino_orderable(a) AS
    CASE WHEN typeof(a) LIKE '%]' OR typeof(a) LIKE 'MAP%' THEN error('NOT_SUPPORTED: Comparing arrays or maps here is not supported by the local Athena') ELSE a END;
