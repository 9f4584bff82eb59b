"""The acts of provisioning."""

from server_api.business.provisioning.news import End, Lane, NewTask, Priority, TaskEnded
from server_api.business.provisioning.service.manual import (
    accept_difference,
    repair_difference,
    retry_task,
    settle_task,
    start_system,
    stop_system,
)
from server_api.business.provisioning.service.request import cancel_tasks, request_many, request_tasks

__all__ = [
    "End",
    "Lane",
    "NewTask",
    "Priority",
    "TaskEnded",
    "accept_difference",
    "cancel_tasks",
    "repair_difference",
    "request_many",
    "request_tasks",
    "retry_task",
    "settle_task",
    "start_system",
    "stop_system",
]
