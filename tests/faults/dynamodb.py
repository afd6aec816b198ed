"""A simulation of the parts of DynamoDB that the product uses: conditional writes, updates, transactions, queries, one index.

Works on the requests that botocore would send, expressions included.
"""

import copy
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

Item = dict[str, dict[str, Any]]

_TOKENS = re.compile(r"\s*(<=|>=|<>|[=<>(),+\-]|[#:\w.]+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


class Expression:
    """One condition, key condition or update expression with its names and values."""

    def __init__(self, text: str, names: dict[str, str], values: dict[str, Any]) -> None:
        self._tokens = _TOKENS.findall(text)
        self._names = names
        self._values = values
        self._place = 0

    def holds(self, item: Item) -> bool:
        """Whether the condition is true of an item (an empty one does not exist)."""
        self._place = 0
        return self._or(item)

    def update(self, item: Item) -> None:
        """Apply the update expression to the item."""
        before = copy.deepcopy(item)
        section = ""
        while self._place < len(self._tokens):
            if self._peek().upper() in ("SET", "REMOVE", "ADD", "DELETE"):
                section = self._next().upper()
            name = self._name()
            if section == "SET":
                self._expect("=")
                value = self._operand(before)
                while self._place < len(self._tokens) and self._peek() in "+-":
                    sign = 1 if self._next() == "+" else -1
                    more = self._operand(before)
                    value = {"N": str(Decimal(value["N"]) + sign * Decimal(more["N"]))}
                item[name] = value
            elif section == "REMOVE":
                item.pop(name, None)
            else:
                added = self._operand(before)
                if "SS" in added:
                    united = {*item.get(name, {"SS": []})["SS"], *added["SS"]}
                    left = sorted(united if section == "ADD" else united - {*added["SS"]})
                    item[name] = {"SS": left}
                    if not left:
                        del item[name]
                else:
                    item[name] = {"N": str(Decimal(item.get(name, {"N": "0"})["N"]) + Decimal(added["N"]))}
            if self._place < len(self._tokens) and self._peek() == ",":
                self._next()

    def _or(self, item: Item) -> bool:
        result = self._and(item)
        while self._place < len(self._tokens) and self._peek().upper() == "OR":
            self._next()
            result = self._and(item) or result
        return result

    def _and(self, item: Item) -> bool:
        result = self._not(item)
        while self._place < len(self._tokens) and self._peek().upper() == "AND":
            self._next()
            result = self._not(item) and result
        return result

    def _not(self, item: Item) -> bool:
        if self._peek().upper() == "NOT":
            self._next()
            return not self._not(item)
        return self._term(item)

    def _term(self, item: Item) -> bool:
        token = self._peek()
        if token == "(":
            self._next()
            result = self._or(item)
            self._expect(")")
            return result
        if token in ("attribute_exists", "attribute_not_exists"):
            self._next()
            self._expect("(")
            name = self._name()
            self._expect(")")
            return (name in item) == (token == "attribute_exists")
        if token in ("begins_with", "contains"):
            self._next()
            self._expect("(")
            text = self._operand(item)
            self._expect(",")
            part = self._operand(item)
            self._expect(")")
            if text is None:
                return False
            whole, piece = str(_plain(text)), str(_plain(part))
            return whole.startswith(piece) if token == "begins_with" else piece in whole
        one = self._operand(item)
        operator = self._next()
        if operator.upper() == "BETWEEN":
            low = self._operand(item)
            self._next()  # AND
            high = self._operand(item)
            return one is not None and _plain(low) <= _plain(one) <= _plain(high)
        other = self._operand(item)
        if one is None or other is None:
            return False  # a missing attribute compares with nothing
        return _COMPARE[operator](_plain(one), _plain(other))

    def _operand(self, item: Item) -> Any:
        token = self._next()
        if token.startswith(":"):
            return self._values[token]
        return item.get(self._names.get(token, token))

    def _name(self) -> str:
        token = self._next()
        return self._names.get(token, token)

    def _peek(self) -> str:
        return str(self._tokens[self._place])

    def _next(self) -> str:
        self._place += 1
        return str(self._tokens[self._place - 1])

    def _expect(self, token: str) -> None:
        found = self._next()
        assert found == token, f"expected {token}, found {found} in {self._tokens}"


def _plain(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


class DynamoDb:
    """One table with a string key (pk, sk)."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request, or raise what botocore would."""
        answer: dict[str, Any] = getattr(self, f"_{operation}")(request)
        return answer

    def _GetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = self.items.get(_key(request["Key"]))
        return {"Item": copy.deepcopy(found)} if found is not None else {}

    def _BatchGetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        ((table, wanted),) = request["RequestItems"].items()
        found = [self.items[_key(key)] for key in wanted["Keys"] if _key(key) in self.items]
        return {"Responses": {table: copy.deepcopy(found)}, "UnprocessedKeys": {}}

    def _PutItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check("PutItem", request, _key(request["Item"]))
        self._put(request)
        return {}

    def _UpdateItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = _key(request["Key"])
        self._check("UpdateItem", request, key)
        return {"Attributes": copy.deepcopy(self._update(request))}

    def _DeleteItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = _key(request["Key"])
        self._check("DeleteItem", request, key)
        self.items.pop(key, None)
        return {}

    def _Query(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        condition = _expression(request, "KeyConditionExpression")
        found = [item for _, item in sorted(self.items.items()) if condition.holds(item)]
        if "IndexName" in request:
            found.sort(key=lambda item: Decimal(item["due_at"]["N"]))
        found = found[: request.get("Limit")]
        return {"Items": copy.deepcopy(found), "Count": len(found), "ScannedCount": len(found)}

    def _TransactWriteItems(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        reasons = []
        for write in request["TransactItems"]:
            ((kind, one),) = write.items()
            holds = self._holds(one, _key(one["Item"] if kind == "Put" else one["Key"]))
            reasons.append({"Code": "None" if holds else "ConditionalCheckFailed"})
        if any(reason["Code"] != "None" for reason in reasons):
            raise canceled(reasons)
        for write in request["TransactItems"]:
            match write:
                case {"Put": one}:
                    self._put(one)
                case {"Update": one}:
                    self._update(one)
                case {"Delete": one}:
                    self.items.pop(_key(one["Key"]), None)
        return {}

    def _put(self, request: dict[str, Any]) -> None:
        self.items[_key(request["Item"])] = copy.deepcopy(request["Item"])

    def _update(self, request: dict[str, Any]) -> Item:
        item = self.items.setdefault(_key(request["Key"]), copy.deepcopy(request["Key"]))
        _expression(request, "UpdateExpression").update(item)
        return item

    def _holds(self, request: dict[str, Any], key: tuple[str, str]) -> bool:
        if "ConditionExpression" not in request:
            return True
        return _expression(request, "ConditionExpression").holds(self.items.get(key, {}))

    def _check(self, operation: str, request: dict[str, Any], key: tuple[str, str]) -> None:
        if self._holds(request, key):
            return
        answer: dict[str, Any] = {
            "Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"}
        }
        if request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and key in self.items:
            answer["Item"] = copy.deepcopy(self.items[key])
        raise ClientError(answer, operation)  # type: ignore[arg-type]


def canceled(reasons: list[dict[str, str]]) -> ClientError:
    """The error of a cancelled transaction."""
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
        "CancellationReasons": reasons,
    }
    return ClientError(answer, "TransactWriteItems")


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _expression(request: dict[str, Any], name: str) -> Expression:
    return Expression(
        request[name], request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    )
