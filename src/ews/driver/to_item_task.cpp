// SPDX-License-Identifier: GPL-3.0-or-later
// A task's state. Exchange couples Status, PercentComplete and CompleteDate: each one that is set changes the
// others, and the last one that a request names decides. So a finished task is told by its date (or by its
// status where there is none), and an unfinished one by its percentage first and its status last.
#include <boost/json/value.hpp>

#include "ews/driver/field_writers.hpp"
#include "ews/driver/to_item_parts.hpp"

namespace syncline::ews {
namespace {

struct TaskState {
  std::optional<std::string> status;
  std::optional<double> percent;
  std::optional<std::string> completed_on;
  bool is_complete() const { return status == "Completed"; }
};

TaskState state_of(const model::Fields& all) {
  TaskState state;
  if (const auto* status = all.if_contains("status"); !says_nothing(status))
    state.status = put::text_of(*status);
  if (const auto* percent = all.if_contains("percentComplete"); percent != nullptr && percent->is_number())
    state.percent = percent->to_number<double>();
  if (const auto* date = all.if_contains("completeDate"); !says_nothing(date))
    state.completed_on = put::text_of(*date);
  if (!state.status) {
    if (state.percent && *state.percent >= 100)
      state.status = "Completed";
    else if (state.completed_on && !state.percent)
      state.status = "Completed";
    else if (state.percent && *state.percent > 0)
      state.status = "InProgress";
  }
  return state;
}

/// 100 would finish the task.
bool may_say(double percent) {
  return percent >= 0 && percent < 100;
}

}  // namespace

void put_task_state(const model::Fields& fields, Item& item) {
  TaskPart& task = item.task.get_or_make();
  const TaskState state = state_of(fields);
  if (state.is_complete()) {
    if (state.completed_on) {
      task.complete_date = DateTime::parse(*state.completed_on + "T00:00:00Z");
    } else {
      task.status = TaskStatus::completed;
    }
    return;
  }
  if (state.percent && may_say(*state.percent)) task.percent_complete = state.percent;
  if (state.status) task.status = Open<TaskStatus>::parse(*state.status);
}

void update_task_state(const model::Fields& fields, const model::Fields& base,
                       std::vector<ItemUpdate>& updates) {
  if (!fields.contains("status") && !fields.contains("percentComplete") && !fields.contains("completeDate"))
    return;
  // What was not said stays as it was, unless what was said speaks against it.
  model::Fields all = merged(base, fields);
  if (!fields.contains("status")) {
    const TaskState told = state_of(fields);
    if (told.status || fields.contains("completeDate") || fields.contains("percentComplete"))
      all["status"] = told.status ? model::FieldValue(*told.status)
                      : base.contains("status") && base.at("status") != "Completed"
                          ? base.at("status")
                          : model::FieldValue("NotStarted");
  }
  if (says_nothing(all.if_contains("status"))) all["status"] = "NotStarted";
  const TaskState state = state_of(all);
  if (state.is_complete()) {
    if (state.completed_on) {
      updates.push_back(set_field(ItemKind::task, field_uri("task:CompleteDate"), [&](Item& item) {
        item.task.get_or_make().complete_date = DateTime::parse(*state.completed_on + "T00:00:00Z");
      }));
    } else {
      updates.push_back(set_field(ItemKind::task, field_uri("task:Status"), [](Item& item) {
        item.task.get_or_make().status = TaskStatus::completed;
      }));
    }
    return;
  }
  if (state.percent && may_say(*state.percent))
    updates.push_back(set_field(ItemKind::task, field_uri("task:PercentComplete"), [&](Item& item) {
      item.task.get_or_make().percent_complete = state.percent;
    }));
  updates.push_back(set_field(ItemKind::task, field_uri("task:Status"), [&](Item& item) {
    item.task.get_or_make().status = Open<TaskStatus>::parse(*state.status);
  }));
}

}  // namespace syncline::ews
