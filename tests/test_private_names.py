"""Private names of libraries that this program relies on: a new version that lacks one fails here.

Why each is relied upon stands where it is used; for Faust in docs/decisions/0001-faust.md.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packages import PACKAGES, ROOT

#: Begin with an underscore and are public all the same.
PUBLIC = {"_asdict", "_exit", "_fields", "_replace"}

#: File and name, and the module of the library that has it.
USED = {
    ("agents/models/linear.py", "_ensure_features"): "river.linear_model.bayesian_lin_reg",
    ("agents/models/linear.py", "_eta_arr"): "river.linear_model.bayesian_lin_reg",
    ("agents/models/linear.py", "_m_dirty"): "river.linear_model.bayesian_lin_reg",
    ("agents/models/linear.py", "_ss_arr"): "river.linear_model.bayesian_lin_reg",
    ("agents/models/linear.py", "_ss_inv_arr"): "river.linear_model.bayesian_lin_reg",
    ("control/opening.py", "_thread"): "aiosqlite.core",
    ("streams/faust/assignment.py", "_active_tps"): "faust.assignor.partition_assignor",
    ("streams/faust/assignment.py", "_assignment"): "faust.assignor.partition_assignor",
    ("streams/faust/assignment.py", "_standby_tps"): "faust.assignor.partition_assignor",
    ("streams/faust/assignment.py", "_topic_groups"): "faust.assignor.partition_assignor",
    ("streams/faust/consumer.py", "_acked"): "faust.transport.consumer",
    ("streams/faust/consumer.py", "_acked_index"): "faust.transport.consumer",
    ("streams/faust/embedded/recovery.py", "_changelogs"): "faust.tables.manager",
    ("streams/faust/embedded/recovery.py", "_channels"): "faust.tables.manager",
    ("streams/kafka/appending.py", "_batch_ttl"): "aiokafka.producer.message_accumulator",
    ("streams/kafka/appending.py", "_message_accumulator"): "aiokafka.producer.producer",
    ("streams/kafka/closing.py", "_client"): "aiokafka.consumer.consumer",
    ("streams/kafka/member.py", "_coordination_task"): "aiokafka.consumer.group_coordinator",
    ("streams/kafka/member.py", "_heartbeat_task"): "aiokafka.consumer.group_coordinator",
    ("streams/kafka/membership.py", "_coordinator"): "aiokafka.consumer.consumer",
    ("streams/kafka/transaction.py", "_batches"): "aiokafka.producer.message_accumulator",
    ("streams/kafka/transaction.py", "_drain_waiter"): "aiokafka.producer.message_accumulator",
    ("streams/kafka/transaction.py", "_message_accumulator"): "aiokafka.producer.producer",
    ("streams/kafka/transaction.py", "_sender"): "aiokafka.producer.producer",
    ("streams/kafka/transaction.py", "_transaction_waiter"): (
        "aiokafka.producer.transaction_manager"
    ),
    ("streams/kafka/transaction.py", "_txn_manager"): "aiokafka.producer.producer",
    ("loopback/telegram.py", "_config"): "telethon.client.telegrambaseclient",
    ("collect/client.py", "_connection"): "telethon.network.mtprotosender",
    ("collect/client.py", "_state"): "telethon.network.mtprotosender",
    ("collect/client.py", "_writer"): "telethon.network.connection.connection",
    ("collect/collector.py", "_updates_error"): ("telethon.client.telegrambaseclient"),
}

#: Our subclass, its base in a library, and the private methods that it replaces or calls.
REPLACED = {
    ("streams.faust.app.App", "faust.App"): ("_crash", "_create_directories"),
    ("streams.faust.app._BytesTopic", "faust.Topic"): ("_compile_decode",),
    ("streams.faust.app._PromptTables", "faust.tables.manager.TableManager"): ("_update_channels",),
    ("streams.faust.consumer.Consumer", "faust.transport.consumer.Consumer"): (
        "_drain_messages",
        "_get_active_partitions",
        "_getmany",
        "_new_offset",
        "_new_topicpartition",
        "_to_message",
    ),
    ("streams.faust.embedded.consumer.Consumer", "faust.transport.consumer.Consumer"): (
        "_commit",
        "_commit_handler",
        "_commit_tps",
        "_filter_committable_offsets",
        "_seek",
    ),
    ("streams.faust.kafka.consumer.Consumer", "faust.transport.consumer.Consumer"): (
        "_commit_handler",
    ),
    (
        "api.http_connection.HttpConnection",
        "uvicorn.protocols.http.h11_impl.H11Protocol",
    ): ("_unset_keepalive_if_required",),
}


def test_every_private_name_that_is_used_is_listed() -> None:
    # A file that has a name of its own like the library's cannot be told apart here.
    assert {*_used()} == {*USED} - {("streams/kafka/transaction.py", "_batches")}


@pytest.mark.parametrize(("used", "module"), USED.items(), ids=lambda each: "-".join(each[:2]))
def test_the_library_has_the_name(used: tuple[str, str], module: str) -> None:
    source = Path(str(importlib.import_module(module).__file__)).read_text()
    _, name = used
    assert any(f"{before}{name}" in source for before in ("self.", "def ", "    ")), module


@pytest.mark.parametrize(("classes", "names"), REPLACED.items(), ids=lambda each: str(each[0]))
def test_the_library_has_the_method(classes: tuple[str, str], names: tuple[str, ...]) -> None:
    ours, base = map(_named, classes)
    assert issubclass(ours, base)
    for name in names:
        before, now = getattr(base, name), getattr(ours, name)
        assert callable(before) or before is not None
        if inspect.isfunction(before) and inspect.isfunction(now):
            assert [*inspect.signature(now).parameters] == [*inspect.signature(before).parameters]


def _named(path: str) -> type:
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, type)
    return found


def _used() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text())
            own = _own(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and _is_foreign(node, own):
                    yield str(file.relative_to(ROOT)), node.attr


def _own(tree: ast.Module) -> set[str]:
    """What the file itself calls so."""
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = list(ast.walk(tree))
    names = {node.name for node in nodes if isinstance(node, defined)}
    declared = (node.target for node in nodes if isinstance(node, ast.AnnAssign))
    names |= {target.id for target in declared if isinstance(target, ast.Name)}
    return names | {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and _is_self(node.value)
    }


def _is_foreign(node: ast.Attribute, own: set[str]) -> bool:
    name = node.attr
    is_private = name.startswith("_") and not name.startswith("__") and name not in PUBLIC
    return is_private and name not in own and not _is_self(node.value)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
