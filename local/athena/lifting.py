"""Aggregates and window functions are computed in a query of their own, below the expressions around them.

DuckDB chooses between a macro's overloads by the types of its arguments, and does not know an aggregate's type while it binds the
same SELECT. `SELECT round(avg(x)) FROM t GROUP BY g` becomes `SELECT round(_a0) FROM (SELECT g AS _g0, avg(x) AS _a0 ...)`.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

from local.athena.errors import QueryError, not_supported
from local.athena.functions import AGGREGATES, macro

E = exp.Expr
Replace = Callable[[E], E | None]


def lift(select: exp.Select) -> exp.Select:
    """Return a SELECT with its aggregates and window functions in queries below it; it is changed.

    Raises:
        QueryError: an expression that is neither grouped nor aggregated, or a form that is not supported.
    """
    if select.args.get("distinct"):
        _check_distinct(select)
    _lift_unnested(select)
    return _lift_windows(_lift_aggregates(select))


def is_aggregate(node: E) -> bool:
    """Whether a node is a call of an aggregate, without the window that it may stand in."""
    return isinstance(node, exp.GroupConcat) or (
        isinstance(node, exp.Anonymous)
        and str(node.this).lower() in AGGREGATES
        and not isinstance(_above(node), exp.Window)
    )


def _above(node: E) -> E | None:
    """What a call belongs to beyond FILTER and IGNORE NULLS."""
    parent = node.parent
    while isinstance(parent, exp.Filter | exp.IgnoreNulls) and node.arg_key == "this":
        node, parent = parent, parent.parent
    return parent if node.arg_key == "this" else None


def within(node: E) -> Iterator[E]:
    """Walk a tree without the queries in it."""
    return node.walk(prune=lambda found: isinstance(found, exp.Query) and found is not node)


def replaced(node: E, replace: Replace) -> E:
    """Return a tree in which the topmost nodes for which `replace` gives another one are replaced; queries in it stay."""
    made = replace(node)
    if made is not None:
        return made
    if isinstance(node, exp.Query):
        return node
    for key, value in list(node.args.items()):
        if isinstance(value, E):
            node.set(key, replaced(value, replace))
        elif isinstance(value, list):
            node.set(key, [replaced(item, replace) if isinstance(item, E) else item for item in value])
    return node


class _Below:
    """The columns of the query below."""

    def __init__(self) -> None:
        self.columns: dict[str, E] = {}

    def column(self, kind: str, node: E) -> exp.Column:
        """Return a reference to a node, which is computed below."""
        key = node.sql("trino")
        if key not in self.columns:
            name = f"_{kind}{len(self.columns)}"
            self.columns[key] = exp.alias_(node.copy(), name, quoted=True)
        return exp.column(self.columns[key].alias, quoted=True)


def _check_distinct(select: exp.Select) -> None:
    order = select.args.get("order")
    selected = {text for item in select.expressions for text in (item.alias_or_name, item.unalias().sql("trino"))}
    for ordered in order.expressions if order else []:
        key = ordered.this
        if not select.is_star and not key.is_int and not {key.sql("trino"), key.name} & selected:
            raise QueryError(
                "EXPRESSION_NOT_IN_DISTINCT", "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
            )


def _lift_aggregates(select: exp.Select) -> exp.Select:
    group = select.args.get("group")
    clauses = [*select.expressions, *(select.args.get(key) for key in ("having", "order"))]
    found = any(is_aggregate(node) for clause in clauses if clause is not None for node in within(clause))
    if group is None and not found and not select.args.get("having"):
        return select
    if select.is_star:
        raise QueryError("EXPRESSION_NOT_AGGREGATE", "'*' must be an aggregate expression or appear in GROUP BY clause")
    below = _Below()
    joined = bool(select.args.get("joins"))
    keys = {_canonical(key, joined): below.column("g", key) for key in _keys(group)}
    aliases = {item.alias.lower() for item in select.expressions if isinstance(item, exp.Alias)}

    kinds = {type(key) for key in _keys(group)}

    def replace(node: E) -> E | None:
        if type(node) in kinds and (key := keys.get(_canonical(node, joined))) is not None:
            return key.copy()
        aggregate = node.this if isinstance(node, exp.Filter) else node
        if is_aggregate(aggregate):
            _refuse_nesting(aggregate)
            return _narrowed(aggregate, below.column("a", node))
        if isinstance(node, exp.Column):
            if node.name.lower() in aliases and not node.table:
                raise QueryError("COLUMN_NOT_FOUND", f"Column '{node.name}' cannot be resolved")
            message = f"'{node.name}' must be an aggregate expression or appear in GROUP BY clause"
            raise QueryError("EXPRESSION_NOT_AGGREGATE", message)
        return None

    outer = _outer(select, replace)
    if having := select.args.get("having"):
        outer.set("where", exp.Where(this=replaced(having.this.copy(), replace)))
    if group is not None and not any(group.find_all(exp.GroupingSets, exp.Rollup, exp.Cube)):
        places = range(1, len({_canonical(key, joined) for key in _keys(group)}) + 1)
        group = exp.Group(expressions=[exp.Literal.number(place) for place in places])
    inner = exp.Select(expressions=list(below.columns.values()), group=group)
    return _joined(select, outer, inner, "_grouped")


def _refuse_nesting(aggregate: E) -> None:
    for node in within(aggregate):
        if node is not aggregate and is_aggregate(node):
            raise QueryError("NESTED_AGGREGATION", "Cannot nest aggregations inside aggregation")
        if isinstance(node, exp.Window):
            raise QueryError("NESTED_WINDOW", "Cannot nest window functions inside aggregation")


def _narrowed(aggregate: E, column: E) -> E:
    name = str(aggregate.this).lower() if isinstance(aggregate, exp.Anonymous) else ""
    return macro("narrow", column) if name == "sum" else column


def _keys(group: exp.Group | None) -> list[E]:
    """The expressions by which a query is grouped."""
    flat: list[E] = []
    listed: list[E] = [*group.expressions] if group is not None else []
    while listed:
        key = listed.pop(0)
        if isinstance(key, exp.Tuple | exp.Rollup | exp.Cube | exp.GroupingSets):
            listed = [*key.expressions, *listed]
        elif (
            group is not None
            and group.find(exp.GroupingSets, exp.Rollup, exp.Cube)
            and not isinstance(key.unnest(), exp.Column)
        ):
            raise QueryError(
                "INVALID_COLUMN_REFERENCE", f"GROUP BY expression must be a column reference: {key.sql('trino')}"
            )
        else:
            flat.append(key.unnest())
    return flat


def _canonical(node: E, joined: bool) -> str:
    """A text that is the same for expressions that mean the same; with one source, `e.g` and `g` do."""
    if not joined and isinstance(node, exp.Column) and not node.this.args.get("quoted"):
        return node.name.lower()  # most nodes are such, and to write one out takes long
    if not joined and (isinstance(node, exp.Column) or node.find(exp.Column)):
        node = node.copy()
        for column in node.find_all(exp.Column):
            column.set("table", None)
    return str(node.sql("trino", normalize=True)).lower() if not node.find(exp.Literal) else str(node.sql("trino"))


def _lift_windows(select: exp.Select) -> exp.Select:
    order = select.args.get("order")
    clauses = [*select.expressions, *([order] if order else [])]
    windows = [node for clause in clauses for node in within(clause) if isinstance(node, exp.Window)]
    if all(w.parent is select or (isinstance(w.parent, exp.Alias) and w.parent.parent is select) for w in windows):
        return select
    if any(isinstance(node, exp.Star) for item in select.expressions for node in [item, item.this]):
        raise not_supported("* beside a window function within an expression", "Name the columns")
    below = _Below()

    def replace(node: E) -> E | None:
        if isinstance(node, exp.Window):
            return below.column("w", node)
        if isinstance(node, exp.Column):
            return below.column("c", node)
        return None

    outer = _outer(select, replace)
    inner = exp.Select(expressions=list(below.columns.values()), where=select.args.get("where"))
    return _joined(select, outer, inner, "_windowed")


def _lift_unnested(select: exp.Select) -> None:
    """Compute the list of an UNNEST in the source of its columns: DuckDB cannot bind macros in a lateral join."""
    source, joins = select.args.get("from_"), select.args.get("joins") or []
    for place, join in enumerate(joins):
        unnest = join.this
        if not isinstance(unnest, exp.Unnest) or isinstance(unnest.expressions[0], exp.Column):
            continue
        tables = {column.table.lower() for column in unnest.find_all(exp.Column)}
        if not tables:
            continue
        sources = [source, *joins[:place]]
        found = [one for one in sources if one.this.alias_or_name.lower() in tables] if tables != {""} else sources
        if len(found) != 1 or len(tables) != 1 or not isinstance(found[0].this, exp.Table | exp.Subquery):
            raise not_supported("UNNEST of an expression over several sources, or over columns that do not name theirs")
        owner, name = found[0].this, f"_u{place}"
        if not owner.alias_or_name:
            owner.set("alias", exp.TableAlias(this=exp.to_identifier("_source", quoted=True)))
        inner = exp.Select(expressions=[exp.Star(), exp.alias_(unnest.expressions[0].copy(), name, quoted=True)])
        inner.set("from_", exp.From(this=owner.copy()))
        alias = exp.to_identifier(owner.alias_or_name, quoted=True)
        owner.replace(exp.Subquery(this=inner, alias=exp.TableAlias(this=alias)))
        unnest.set("expressions", [exp.column(name, table=alias.copy(), quoted=True)])
        for star in [node for item in select.expressions for node in within(item) if isinstance(node, exp.Star)]:
            if star.parent is select or (
                isinstance(star.parent, exp.Column) and star.parent.table.lower() == alias.name.lower()
            ):
                star.append("except_", exp.to_identifier(name, quoted=True))


def _outer(select: exp.Select, replace: Replace) -> exp.Select:
    """The query above: the result columns, their order and limit."""
    items = []
    for item in select.expressions:
        name = (
            item.alias if isinstance(item, exp.Alias) else item.name if isinstance(item, exp.Column | exp.Dot) else ""
        )
        made = replaced(item.unalias().copy(), replace)
        items.append(exp.alias_(made, name, quoted=True) if name else made)
    outer = exp.Select(expressions=items)
    if order := select.args.get("order"):
        names = {name.lower() for item in items if (name := item.alias)}
        for ordered in order.expressions:
            key = ordered.this
            by_name = isinstance(key, exp.Column) and not key.table and key.name.lower() in names
            if not by_name and not key.is_int:
                if any(c.name.lower() in names for a in within(key) if is_aggregate(a) for c in a.find_all(exp.Column)):
                    raise QueryError(
                        "COLUMN_NOT_FOUND", "Invalid reference to output projection attribute from ORDER BY aggregation"
                    )
                ordered.set("this", replaced(key.copy(), replace))
        outer.set("order", order)
    for key in ("distinct", "limit", "offset", "with_"):
        outer.set(key, select.args.get(key))
    return outer


def _joined(select: exp.Select, outer: exp.Select, inner: exp.Select, name: str) -> exp.Select:
    for key in ("from_", "joins"):
        inner.set(key, select.args.get(key))
    if not inner.args.get("where"):
        inner.set("where", select.args.get("where"))
    if not inner.expressions:
        inner.set("expressions", [exp.alias_(exp.Literal.number(1), "_one", quoted=True)])
    below = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    outer.set("from_", exp.From(this=below))
    return outer
