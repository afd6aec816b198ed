"""Functions run as on Lambda: their own code and layers, their own environment, and nothing of this machine."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.function_sandbox import END_WITH_THE_EMULATOR, RUNTIME, CodeStore, FunctionSandbox


def archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return buffer.getvalue()


class Functions:
    """Makes sandboxes of one-file functions, and ends them."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self._kind = FunctionSandbox.configured(folder / "run", self.logs)
        self._made: list[FunctionSandbox] = []

    def make(self, code: str, layer: dict[str, str] | None = None, **config: Any) -> FunctionSandbox:
        kind = type("WithLayer", (self._kind,), {"_layer_archives": lambda _: [archive(layer)] if layer else []})
        arn = "arn:aws:lambda:us-east-1:000000000000:function:probe"
        settings = {"FunctionName": "probe", "FunctionArn": arn, "Runtime": RUNTIME, "Handler": "handler.handler"}
        sandbox: FunctionSandbox = kind("probe", settings | config, archive({"handler.py": code}))
        self._made.append(sandbox)
        return sandbox

    def end(self) -> None:
        for sandbox in self._made:
            sandbox.kill()
            if sandbox._proc is not None:
                sandbox._proc.wait()


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("A_SECRET_OF_THIS_MACHINE", "yes")
    made = Functions(tmp_path)
    yield made
    made.end()


pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # MiniStack leaves pipes of ended workers to the collector


def test_a_function_sees_its_variables_and_its_layer(functions: Functions) -> None:
    sandbox = functions.make(
        "import os, shared\ndef handler(event, context): return [event['n'], shared.NAME, os.environ['TABLE_NAME']]",
        layer={"python/shared.py": "NAME = 'layer'"},
        Environment={"Variables": {"TABLE_NAME": "table"}},
    )
    assert sandbox.invoke({"n": 1}, "r1")["result"] == [1, "layer", "table"]


def test_a_function_does_not_see_what_is_installed_here(functions: Functions) -> None:
    sandbox = functions.make("import httpx\ndef handler(event, context): return 1")
    with pytest.raises(RuntimeError, match="No module named 'httpx'"):
        sandbox.invoke({}, "r1")
    assert "No module named 'httpx'" in (functions.logs / "probe.log").read_text()


def test_a_function_does_not_see_the_environment_of_this_machine(functions: Functions) -> None:
    sandbox = functions.make("import os\ndef handler(event, context): return dict(os.environ)")
    environment = sandbox.invoke({}, "r1")["result"]
    assert "A_SECRET_OF_THIS_MACHINE" not in environment
    assert environment["AWS_REGION"] == "us-east-1"


def test_only_the_python_at_hand_is_a_runtime(functions: Functions) -> None:
    with pytest.raises(RuntimeError, match=r"not 'python2\.7'"):
        functions.make("def handler(event, context): ...", Runtime="python2.7").invoke({}, "r1")


def test_what_a_function_prints_and_why_it_fails_is_in_its_log(functions: Functions) -> None:
    sandbox = functions.make("def handler(event, context):\n    print('before')\n    raise ValueError('why')")
    assert sandbox.invoke({}, "r1")["status"] == "error"
    log = (functions.logs / "probe.log").read_text()
    assert "before" in log
    assert "r1 Traceback" in log
    assert "ValueError: why" in log


def test_a_killed_process_is_replaced(functions: Functions) -> None:
    sandbox = functions.make("import os\ndef handler(event, context): return os.getpid()")
    first = sandbox.invoke({}, "r1")["result"]
    os.kill(first, signal.SIGKILL)
    sandbox._proc.wait()
    assert sandbox.invoke({}, "r2")["result"] not in (None, first)


def test_a_process_that_dies_during_a_call_fails_that_call_only(functions: Functions) -> None:
    sandbox = functions.make("import os\ndef handler(event, context): return os._exit(1) if event['die'] else 'fine'")
    assert sandbox.invoke({"die": True}, "r1")["status"] == "error"
    assert sandbox.invoke({"die": False}, "r2")["result"] == "fine"


def test_a_time_limit_given_as_text_holds(functions: Functions) -> None:
    """A template parameter of type Number reaches the function's configuration as a text."""
    sandbox = functions.make("import time\ndef handler(event, context): time.sleep(60)", Timeout="1")
    assert "timed out" in sandbox.invoke({}, "r1")["error"]


def test_processes_share_what_was_extracted_and_earlier_code_goes(tmp_path: Path) -> None:
    CodeStore(tmp_path).extract(archive({"a.py": "old"}))
    store = CodeStore(tmp_path)
    new = store.extract(archive({"a.py": "new"}))
    assert store.extract(archive({"a.py": "new"})) == new
    store.discard_unused()
    assert [entry.name for entry in tmp_path.iterdir()] == [new.name]
    assert (new / "a.py").read_text() == "new"


def test_a_process_ends_when_the_emulator_is_gone_even_in_the_middle_of_a_call() -> None:
    read_end, write_end = os.pipe()
    code = END_WITH_THE_EMULATOR + "import time; print('busy', flush=True); time.sleep(60)"
    command = [sys.executable, "-I", "-S", "-c", code, str(read_end)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=(read_end,)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.close(write_end)
        assert process.wait(timeout=10) == 0
    os.close(read_end)
