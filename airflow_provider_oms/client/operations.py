"""The typed methods of every action, synchronous and asynchronous, both made from the same description.

The asynchronous twin of ``x`` is called ``ax``, as in Airflow's own ``get_connection`` and ``aget_connection``. The
arguments, their types and the docstring are those of the function in :mod:`airflow_provider_oms.client.actions`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, without_frames
from airflow_provider_oms.client.paging import Page, PagedCall, following
from airflow_provider_oms.client.protocol import Answer, Call

P = ParamSpec("P")
T = TypeVar("T")

#: A generator that yields calls and is sent the answers, so that each call can depend on the answers before it. It
#: returns the result.
Flow = Generator[Call[Any], Answer[Any], T]


class Together(NamedTuple):
    """What a flow yields instead of a call: other flows, which may run at the same time."""

    flows: Sequence[Flow[Any]]


def all_of(flows: Sequence[Flow[T]]) -> Flow[list[T]]:
    """Run several flows and return their results, in the order of the flows.

    An asynchronous client runs them at the same time, a synchronous client one after another.

    :param flows: the flows; none of them may raise an error
    """
    found: Any = yield Together(flows)  # type: ignore[misc]  # only this yield isn't answered by an Answer
    return list(found)


class Sender(Protocol):
    """An object that can send a call and wait for the answer."""

    def send(self, call: Call[T]) -> Answer[T]:
        """Send one call."""


class AsyncSender(Protocol):
    """An object that can send a call without blocking the event loop."""

    async def asend(self, call: Call[T]) -> Answer[T]:
        """Send one call."""


def run_flow(sender: Sender, flow: Flow[T]) -> T:
    """Run a flow over a synchronous client. Errors are thrown into the flow, so that it can handle them."""
    try:
        call: Any = next(flow)
        while True:
            if isinstance(call, Together):
                found: Any = [run_flow(sender, one) for one in call.flows]
                call = flow.send(found)
                continue
            try:
                answer = sender.send(call)
            except OmsError as error:
                call = flow.throw(error)
            else:
                call = flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def arun_flow(sender: AsyncSender, flow: Flow[T]) -> T:
    """Run a flow over an asynchronous client; the twin of :func:`run_flow`."""
    try:
        call: Any = next(flow)
        while True:
            if isinstance(call, Together):
                found: Any = await _at_once(sender, call.flows)
                call = flow.send(found)
                continue
            try:
                answer = await sender.asend(call)
            except OmsError as error:
                call = flow.throw(error)
            else:
                call = flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def _at_once(sender: AsyncSender, flows: Sequence[Flow[Any]]) -> list[Any]:
    """Run flows at the same time. If one ends in an error, the others are cancelled."""
    tasks = [asyncio.ensure_future(arun_flow(sender, flow)) for flow in flows]
    try:
        return await asyncio.gather(*tasks)
    finally:
        if left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


def _described(describe: Callable[..., Call[T]], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call[T] | Exception:
    """Return a call, or the error of its description. Raised here, the error would keep frames that hold passwords."""
    try:
        return describe(*args, **kwargs)
    except Exception as error:
        return without_frames(error)


# The arguments may hold passwords, and some log handlers show the variables of the frames in a traceback. So the
# arguments are deleted before anything is raised.


def _one(describe: Callable[P, Call[T]]) -> Callable[Concatenate[Sender, P], T]:
    @wraps(describe)
    def method(self: Sender, /, *args: P.args, **kwargs: P.kwargs) -> T:
        call = _described(describe, args, kwargs)
        del args, kwargs
        if isinstance(call, Exception):
            raise call
        return self.send(call).data

    return method


def _aone(describe: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncSender, P], Coroutine[Any, Any, T]]:
    @wraps(describe)
    async def method(self: AsyncSender, /, *args: P.args, **kwargs: P.kwargs) -> T:
        call = _described(describe, args, kwargs)
        del args, kwargs
        if isinstance(call, Exception):
            raise call
        return (await self.asend(call)).data

    return method


def _all(describe: Callable[P, PagedCall[T]]) -> Callable[Concatenate[Sender, P], Iterator[T]]:
    @wraps(describe)
    def method(self: Sender, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        paged = describe(*args, **kwargs)
        if paged.identify is not None:
            yield from run_flow(self, paged.whole())
            return
        pages = paged.pages()
        call: Call[Page[T]] | None = next(pages)
        while call is not None:
            answer = self.send(call)
            call = following(pages, answer)
            yield from answer.data.rows

    return method


def _aall(describe: Callable[P, PagedCall[T]]) -> Callable[Concatenate[AsyncSender, P], AsyncIterator[T]]:
    @wraps(describe)
    async def method(self: AsyncSender, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        paged = describe(*args, **kwargs)
        if paged.identify is not None:
            for row in await arun_flow(self, paged.whole()):
                yield row
            return
        pages = paged.pages()
        call: Call[Page[T]] | None = next(pages)
        while call is not None:
            answer = await self.asend(call)
            call = following(pages, answer)
            for row in answer.data.rows:
                yield row

    return method


class Operations:
    """One method per action, for any class with ``send``. Methods that list return an iterator over the rows of all
    pages.

    If the rows can be identified (projects, tables, data sources), the whole list is read and checked before its first
    row is returned. The parameters and errors of a method are those of the function of the same name in
    :mod:`airflow_provider_oms.client.actions`.
    """

    call = _one(actions.call)
    describe_project_progress = _one(actions.describe_project_progress)
    describe_project_steps = _one(actions.describe_project_steps)
    describe_project = _one(actions.describe_project)
    describe_project_components = _one(actions.describe_project_components)
    describe_project_step_metric = _one(actions.describe_project_step_metric)
    list_projects = _all(actions.list_projects)
    create_project = _one(actions.create_project)
    start_project = _one(actions.start_project)
    stop_project = _one(actions.stop_project)
    resume_project = _one(actions.resume_project)
    release_project = _one(actions.release_project)
    delete_project = _one(actions.delete_project)
    advance_project = _one(actions.advance_project)
    update_project_config = _one(actions.update_project_config)
    reset_incr_start_timestamp = _one(actions.reset_incr_start_timestamp)
    create_project_modify_records = _one(actions.create_project_modify_records)
    list_project_modify_records = _one(actions.list_project_modify_records)
    cancel_project_modify_record = _one(actions.cancel_project_modify_record)
    stop_project_modify_records = _one(actions.stop_project_modify_records)
    retry_project_modify_records = _one(actions.retry_project_modify_records)
    start_projects_by_label = _one(actions.start_projects_by_label)
    stop_projects_by_label = _one(actions.stop_projects_by_label)
    submit_pre_check = _one(actions.submit_pre_check)
    get_pre_check_result = _one(actions.get_pre_check_result)
    list_project_full_verify_result = _all(actions.list_project_full_verify_result)
    list_full_verify_inconsistencies_result = _all(actions.list_full_verify_inconsistencies_result)
    list_full_verify_corrections_result = _all(actions.list_full_verify_corrections_result)
    create_mysql_data_source = _one(actions.create_mysql_data_source)
    create_oceanbase_data_source = _one(actions.create_oceanbase_data_source)
    create_kafka_data_source = _one(actions.create_kafka_data_source)
    create_oceanbase_odp_data_source = _one(actions.create_oceanbase_odp_data_source)
    create_polardb_data_source = _one(actions.create_polardb_data_source)
    list_data_source = _all(actions.list_data_source)
    delete_data_source = _one(actions.delete_data_source)
    create_label = _one(actions.create_label)
    list_all_labels = _one(actions.list_all_labels)
    describe_regions = _one(actions.describe_regions)
    update_store = _one(actions.update_store)
    update_full_import = _one(actions.update_full_import)
    update_incr_sync = _one(actions.update_incr_sync)
    update_full_verification = _one(actions.update_full_verification)


class AsyncOperations:
    """One coroutine per action, for any class with ``asend``. Methods that list return an asynchronous iterator.

    See :class:`Operations` for the parameters and errors.
    """

    acall = _aone(actions.call)
    adescribe_project_progress = _aone(actions.describe_project_progress)
    adescribe_project_steps = _aone(actions.describe_project_steps)
    adescribe_project = _aone(actions.describe_project)
    adescribe_project_components = _aone(actions.describe_project_components)
    adescribe_project_step_metric = _aone(actions.describe_project_step_metric)
    alist_projects = _aall(actions.list_projects)
    acreate_project = _aone(actions.create_project)
    astart_project = _aone(actions.start_project)
    astop_project = _aone(actions.stop_project)
    aresume_project = _aone(actions.resume_project)
    arelease_project = _aone(actions.release_project)
    adelete_project = _aone(actions.delete_project)
    aadvance_project = _aone(actions.advance_project)
    aupdate_project_config = _aone(actions.update_project_config)
    areset_incr_start_timestamp = _aone(actions.reset_incr_start_timestamp)
    acreate_project_modify_records = _aone(actions.create_project_modify_records)
    alist_project_modify_records = _aone(actions.list_project_modify_records)
    acancel_project_modify_record = _aone(actions.cancel_project_modify_record)
    astop_project_modify_records = _aone(actions.stop_project_modify_records)
    aretry_project_modify_records = _aone(actions.retry_project_modify_records)
    astart_projects_by_label = _aone(actions.start_projects_by_label)
    astop_projects_by_label = _aone(actions.stop_projects_by_label)
    asubmit_pre_check = _aone(actions.submit_pre_check)
    aget_pre_check_result = _aone(actions.get_pre_check_result)
    alist_project_full_verify_result = _aall(actions.list_project_full_verify_result)
    alist_full_verify_inconsistencies_result = _aall(actions.list_full_verify_inconsistencies_result)
    alist_full_verify_corrections_result = _aall(actions.list_full_verify_corrections_result)
    acreate_mysql_data_source = _aone(actions.create_mysql_data_source)
    acreate_oceanbase_data_source = _aone(actions.create_oceanbase_data_source)
    acreate_kafka_data_source = _aone(actions.create_kafka_data_source)
    acreate_oceanbase_odp_data_source = _aone(actions.create_oceanbase_odp_data_source)
    acreate_polardb_data_source = _aone(actions.create_polardb_data_source)
    alist_data_source = _aall(actions.list_data_source)
    adelete_data_source = _aone(actions.delete_data_source)
    acreate_label = _aone(actions.create_label)
    alist_all_labels = _aone(actions.list_all_labels)
    adescribe_regions = _aone(actions.describe_regions)
    aupdate_store = _aone(actions.update_store)
    aupdate_full_import = _aone(actions.update_full_import)
    aupdate_incr_sync = _aone(actions.update_incr_sync)
    aupdate_full_verification = _aone(actions.update_full_verification)
