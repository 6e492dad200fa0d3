"""The question queue of a run and its children: who is asked now, and who comes next."""

from dataclasses import asdict
from uuid import UUID

from workflows import clock
from workflows.engine.call import failure_from
from workflows.engine.cursor import context_at
from workflows.engine.plans import load_plan
from workflows.errors import CeleriacError
from workflows.models import Suspension
from workflows.nodes.base import NodeCall
from workflows.nodes.registry import are_plugin_hooks_on
from workflows.nodes.suspensions import PersonWait
from workflows.store import questions, runs


def ask_next(family: UUID) -> None:
    """Ask the question whose turn it is, unless one is asked already; the queue is locked.

    Called by whatever ends a question, in its transaction: no family is ever left without.
    """
    question = questions.next_question(family)
    if question is None:
        return
    questions.ask(question)
    announce(question)


def announce(question: Suspension) -> None:
    """Let a plug-in write its own row for a question that is asked from now on."""
    if question.prompt or not are_plugin_hooks_on():
        return  # the engine's own questions are found by their rows
    info = runs.load_info(question.run_id)
    node = load_plan(info.version_id, info.digest).nodes[question.node]
    wait = PersonWait(question.data, question.due_in, is_exclusive=True)
    try:
        call = NodeCall(
            config=node.config,
            context=context_at(question.thread),
            ports=node.ports,
            run=info.scope,
            now=clock.now(),
        )
        node.kind.on_suspended(str(question.pk), call, wait)
    except CeleriacError as error:
        # Whoever has answered the question before has done nothing wrong: this one's node fails, in
        # a transaction of its own, which locks its run first.
        questions.refuse(question, asdict(failure_from(error)))
