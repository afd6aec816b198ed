"""The reference conversation on Microsoft's botbuilder-dialogs: waterfalls and the library's own prompts.

The library's cloud storages keep what `jsonpickle` makes of the conversation's state; so does the storage here.
"""

import asyncio
import re
from typing import Any

import jsonpickle
from botbuilder.core import BotAdapter, ConversationState, MessageFactory, Storage, TurnContext
from botbuilder.dialogs import DialogSet, DialogTurnStatus, WaterfallDialog, WaterfallStepContext
from botbuilder.dialogs.choices import Choice, ListStyle
from botbuilder.dialogs.prompts import ChoicePrompt, NumberPrompt, PromptOptions, PromptValidatorContext, TextPrompt
from botbuilder.schema import Activity, ActivityTypes, ChannelAccount, ConversationAccount, ResourceResponse

EMAIL = re.compile(r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")
BUTTONS = "[sales=Sales|support=Support|other=Other]"
CHOICES = ("sales", "support", "other")
TEXT = MessageFactory.text


class SerialisingStorage(Storage):
    """Keeps each state as bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, bytes] = {}

    async def read(self, keys: list[str]) -> dict[str, Any]:
        """The states under these keys."""
        return {key: jsonpickle.decode(self.stored[key]) for key in keys if key in self.stored}  # noqa: S301 - our own

    async def write(self, changes: dict[str, Any]) -> None:
        """Keep these states."""
        for key, value in changes.items():
            self.stored[key] = jsonpickle.encode(value).encode()

    async def delete(self, keys: list[str]) -> None:
        """Delete the states of these keys."""
        for key in keys:
            self.stored.pop(key, None)


class CollectingAdapter(BotAdapter):
    """Instead of a channel: what the bot sends is collected."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    async def send_activities(self, context: TurnContext, activities: list[Activity]) -> list[ResourceResponse]:  # noqa: ARG002
        """Collect the texts."""
        self.texts += [activity.text for activity in activities if activity.type == ActivityTypes.message]
        return [ResourceResponse(id="") for _ in activities]

    async def update_activity(self, context: TurnContext, activity: Activity) -> ResourceResponse:
        """Not used here."""
        raise NotImplementedError

    async def delete_activity(self, context: TurnContext, reference: Any) -> None:
        """Not used here."""
        raise NotImplementedError


async def is_long_enough(prompt: PromptValidatorContext) -> bool:
    return prompt.recognized.succeeded and len(prompt.recognized.value.strip()) >= 2


async def is_email(prompt: PromptValidatorContext) -> bool:
    return prompt.recognized.succeeded and EMAIL.search(prompt.recognized.value) is not None


async def ask_name(step: WaterfallStepContext) -> Any:
    await step.context.send_activity("Welcome to Acme!")
    retry = TEXT("Please give a name of at least 2 characters.")
    return await step.prompt("long_enough", PromptOptions(prompt=TEXT("What is your name?"), retry_prompt=retry))


async def ask_email(step: WaterfallStepContext) -> Any:
    step.values["name"] = step.result
    await step.context.send_activity(f"Nice to meet you, {step.result}.")
    retry = TEXT("That is not a valid e-mail. Please try again.")
    return await step.prompt("email", PromptOptions(prompt=TEXT("What is your e-mail?"), retry_prompt=retry))


async def ask_age(step: WaterfallStepContext) -> Any:
    step.values["email"] = step.result
    retry = TEXT("Please send a number.")
    return await step.prompt("number", PromptOptions(prompt=TEXT("How old are you?"), retry_prompt=retry))


async def ask_need(step: WaterfallStepContext) -> Any:
    step.values["age"] = step.result
    if step.result < 18:
        await step.context.send_activity("Sorry, you must be 18 or older.")
        return await say_goodbye(step)
    prompt, retry = TEXT(f"What do you need? {BUTTONS}"), TEXT("Please choose one of the options.")
    choices = [Choice(value) for value in CHOICES]
    return await step.prompt(
        "choice", PromptOptions(prompt=prompt, retry_prompt=retry, choices=choices, style=ListStyle.none)
    )


async def route_need(step: WaterfallStepContext) -> Any:
    step.values["need"] = step.result.value
    if step.result.value != "support":
        return await say_goodbye(step)
    await step.context.send_activity(f"Connecting you to support, {step.values['name']}.")
    return await step.begin_dialog("sub_order", {"email": step.values["email"]})


async def say_goodbye(step: WaterfallStepContext) -> Any:
    await step.context.send_activity(f"Thank you, {step.values['name']}. Goodbye!")
    return await step.end_dialog()


async def ask_order(step: WaterfallStepContext) -> Any:
    retry = TEXT("Please give an order number of at least 2 characters.")
    return await step.prompt(
        "long_enough", PromptOptions(prompt=TEXT("What is your order number?"), retry_prompt=retry)
    )


async def note_order(step: WaterfallStepContext) -> Any:
    await step.context.send_activity(f"Order {step.result} noted for {step.options['email']}.")
    return await step.end_dialog(step.result)


class ReferenceBot:
    """States are what the storage keeps."""

    def __init__(self) -> None:
        self._storage = SerialisingStorage()
        self._loop = asyncio.new_event_loop()
        self.rebuild()

    def turn(self, conversation: str, text: str) -> list[str]:
        """One message activity through the dialogs."""
        adapter = self._adapter
        adapter.texts = []
        activity = Activity(
            type=ActivityTypes.message,
            text=text,
            channel_id="bench",
            service_url="bench",
            id="1",
            conversation=ConversationAccount(id=conversation),
            from_property=ChannelAccount(id="person"),
            recipient=ChannelAccount(id="bot"),
        )
        self._loop.run_until_complete(self._answer(TurnContext(adapter, activity)))
        return adapter.texts

    async def _answer(self, context: TurnContext) -> None:
        dialogs = await self._dialogs.create_context(context)
        result = await dialogs.continue_dialog()
        if result.status == DialogTurnStatus.Empty:
            await dialogs.begin_dialog("main")
        await self._state.save_changes(context)

    def drop(self, conversation: str) -> None:
        """Delete a conversation."""
        self._storage.stored.pop(self._key(conversation), None)

    def rebuild(self) -> None:
        """Create the adapter, the conversation state and the dialogs again."""
        self._adapter = CollectingAdapter()
        self._state = ConversationState(self._storage)
        self._dialogs = DialogSet(self._state.create_property("dialogs"))
        self._dialogs.add(WaterfallDialog("main", [ask_name, ask_email, ask_age, ask_need, route_need, say_goodbye]))
        self._dialogs.add(WaterfallDialog("sub_order", [ask_order, note_order]))
        self._dialogs.add(TextPrompt("long_enough", is_long_enough))
        self._dialogs.add(TextPrompt("email", is_email))
        self._dialogs.add(NumberPrompt("number", default_locale="en-us"))
        self._dialogs.add(ChoicePrompt("choice", default_locale="en-us"))

    def stored_bytes(self, conversation: str) -> int:
        """The length of the stored state."""
        return len(self._storage.stored.get(self._key(conversation), b""))

    @staticmethod
    def _key(conversation: str) -> str:
        return f"bench/conversations/{conversation}"
