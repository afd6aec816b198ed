"""What the people of an organization share: teams, canned replies, their names, and who changed what."""

from functools import cache

from pytake.aws.change_log import DynamoChangeLog
from pytake.aws.colleagues import DynamoColleagues
from pytake.aws.desk import DynamoDesk
from pytake.conversation.change_log import ChangeLog
from pytake.conversation.colleagues import Colleagues
from pytake.conversation.desk import Desk
from pytake.wiring import shared


@cache
def desk() -> Desk:
    return DynamoDesk(shared.table())


@cache
def change_log() -> ChangeLog:
    return DynamoChangeLog(shared.table(), shared.clock)


@cache
def colleagues() -> Colleagues:
    return DynamoColleagues(shared.table(), shared.clock)
