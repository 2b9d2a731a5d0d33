// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An EWS recurrence as text: the XML of EWS, and the JSON of records
// (`{"pattern":{"type":"absoluteMonthly",…}, "range":{"type":"numbered",…}}`, EWS's names in lower camel
// case, its values as EWS writes them).
#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/recurrence.hpp"

namespace syncline::time {

struct ReadRecurrence {
  model::RecurrencePattern pattern;
  std::optional<model::RecurrenceRange> range;  ///< absent: the text said none
  std::vector<std::string> notes;               ///< what was taken for granted
};

constexpr std::size_t recurrence_xml_limit_octets = 64 * 1024;

/// `<t:Recurrence>…</t:Recurrence>`, its prefix declared or not, alone or within an item; the elements in any
/// order, unknown ones passed over. A DOCTYPE is refused. Errors (domain xml): "not-xml", "too-large",
/// "doctype"; (domain input): "bad-recurrence" with the element.
Result<ReadRecurrence> read_recurrence_xml(std::string_view xml);
/// Errors (domain input): "bad-recurrence" with the field. Values in any case; months also as numbers.
Result<ReadRecurrence> read_recurrence_json(const boost::json::value& json);

boost::json::object recurrence_to_json(const model::Recurrence& recurrence);

std::string_view to_string(model::DayOfWeek day);                          ///< "Monday", "WeekendDay"
std::string_view to_string(model::DayOfWeekIndex index);                   ///< "First"
std::optional<model::DayOfWeek> parse_day_of_week(std::string_view text);  ///< in any case
std::string_view month_name(int month);                                    ///< 1: "January"

}  // namespace syncline::time
