"""Options within WhatsApp's limits."""

from pytake.importers.options import fit_options, with_lines

LONG = "A label that is much longer than a button or a row"


def test_up_to_three_short_labels_are_buttons() -> None:
    assert fit_options(["Yes", "No"], ["a", None]).buttons == [{"label": "Yes", "next_node_id": "a"}, {"label": "No"}]


def test_a_label_that_is_too_long_for_a_button_is_a_line_of_the_text() -> None:
    found = fit_options([LONG, "No"])
    assert found.buttons[0] == {"label": "A label that is muc…", "value": LONG}
    assert with_lines("Choose:", found) == f"Choose:\n• {LONG}"


def test_a_label_that_is_too_long_for_a_row_is_its_description() -> None:
    found = fit_options([LONG, "b", "c", "d"])
    assert found.buttons[0] == {"label": "A label that is much lo…", "value": LONG, "description": LONG}
    assert found.lines == []


def test_more_than_ten_options_are_numbered_lines() -> None:
    found = fit_options([f"Option {number}" for number in range(1, 13)])
    assert (found.buttons, len(found.values)) == ([], 12)
    assert found.lines[11] == "12. Option 12"


def test_equal_labels_get_numbers_and_values_in_a_label_have_no_length() -> None:
    assert [button["label"] for button in fit_options(["Same", "same"]).buttons] == ["Same", "same 2"]
    assert fit_options(["{{name | default('a long text')}}"]).buttons[0]["label"] == "{{name | default('a long text')}}"
