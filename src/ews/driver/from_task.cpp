// SPDX-License-Identifier: GPL-3.0-or-later
#include <boost/json/object.hpp>

#include "ews/driver/field_row.hpp"
#include "ews/driver/from_item.hpp"
#include "time/recurrence_text.hpp"

namespace syncline::ews {
namespace {

MappedValue recurrence_value(const std::optional<Recurrence>& recurrence, const ItemContext&) {
  if (!recurrence) return boost::json::value();
  const auto read = recurrence_of(*recurrence);
  if (!read) return std::nullopt;
  return boost::json::value(time::recurrence_to_json(*read));
}

constexpr FieldRow rows[] = {
    {"subject", "item:Subject", mapped<&Item::subject, text_of>},
    {"body", "item:Body", mapped<&Item::body, body_of>},
    {"startDate", "task:StartDate", mapped<&TaskPart::start_date, date_of>},
    {"dueDate", "task:DueDate", mapped<&TaskPart::due_date, date_of>},
    {"status", "task:Status", mapped<&TaskPart::status, choice_of<TaskStatus>>},
    {"percentComplete", "task:PercentComplete", mapped<&TaskPart::percent_complete, number_of>},
    {"completeDate", "task:CompleteDate", mapped<&TaskPart::complete_date, date_of>},
    {"recurrence", "task:Recurrence", mapped<&TaskPart::recurrence, recurrence_value>},
    {"importance", "item:Importance", mapped<&Item::importance, choice_of<Importance>>},
    {"sensitivity", "item:Sensitivity", mapped<&Item::sensitivity, choice_of<Sensitivity>>},
    {"categories", "item:Categories", mapped<&Item::categories, words_of>},
    {"totalWork", "task:TotalWork", mapped<&TaskPart::total_work, integer_of>},
    {"actualWork", "task:ActualWork", mapped<&TaskPart::actual_work, integer_of>},
    {"reminderIsSet", "item:ReminderIsSet", mapped<&Item::reminder_is_set, boolean_of>},
    {"reminderDueBy", "item:ReminderDueBy", mapped<&Item::reminder_due_by, instant_of>},
    {"delegator", "task:Delegator", mapped<&TaskPart::delegator, text_of>},
};

}  // namespace

const KindTable& task_table() {
  static const KindTable table{.rows = rows};
  return table;
}

}  // namespace syncline::ews
