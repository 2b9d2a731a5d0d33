// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/meeting.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/text.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;

/// What attendees see of a meeting.
constexpr std::string_view seen_by_attendees[] = {
    "subject",
    "body",
    "location",
    "isAllDayEvent",
    "start",
    "end",
    "requiredAttendees",
    "optionalAttendees",
    "resources",
    "importance",
    "recurrence",
    "modifiedOccurrences",
    "deletedOccurrences",
    "startTimeZone",
    "endTimeZone",
};

constexpr std::string_view attendee_lists[] = {"requiredAttendees", "optionalAttendees", "resources"};

/// "2026-11-22T10:00:00Z" or a date, as days and seconds since the epoch; the end of that day for a date.
std::optional<SystemTime> instant_of(const json::value* value) {
  if (value == nullptr || !value->is_string() || value->get_string().size() < 10) return std::nullopt;
  const std::string_view said = value->get_string();
  const auto part = [&](std::size_t at, std::size_t size) -> std::int64_t {
    const auto number = said.size() >= at + size ? text::parse_int(said.substr(at, size)) : std::nullopt;
    return number && *number >= 0 ? *number : 0;
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(part(0, 4))),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!day.ok()) return std::nullopt;
  const SystemTime midnight{std::chrono::sys_days(day)};
  if (said.size() < 19) return midnight + std::chrono::hours(24);
  return midnight + std::chrono::hours(part(11, 2)) + std::chrono::minutes(part(14, 2)) +
         std::chrono::seconds(part(17, 2));
}

/// Whether any occurrence is still to come, as far as the range tells: a series that is numbered or has no
/// end counts as going on.
bool is_past(const model::Fields& fields, SystemTime now) {
  if (const json::value* recurrence = fields.if_contains("recurrence");
      recurrence != nullptr && recurrence->is_object()) {
    const json::value* range = recurrence->get_object().if_contains("range");
    const json::value* end =
        range != nullptr && range->is_object() ? range->get_object().if_contains("endDate") : nullptr;
    const auto last = instant_of(end);
    return last && *last < now;
  }
  const auto start = instant_of(fields.if_contains("start"));
  return start && *start < now;
}

}  // namespace

bool organizes(const model::Fields& fields, std::string_view address) {
  const json::value* organizer = fields.if_contains("organizer");
  if (organizer == nullptr || !organizer->is_object()) return true;
  const std::string_view theirs = model::text_of(organizer->get_object(), "emailAddress");
  return theirs.empty() || text::equals_ignore_case(theirs, address);
}

std::size_t count_attendees(const model::Fields& fields) {
  std::size_t count = 0;
  for (const std::string_view name : attendee_lists)
    if (const json::value* attendees = fields.if_contains(name);
        attendees != nullptr && attendees->is_array())
      count += attendees->get_array().size();
  return count;
}

MeetingDecision decide_meeting(const MeetingFacts& facts, const model::SyncPolicy& policy, SystemTime now) {
  const bool past = is_past(facts.fields, now);
  if (facts.write == MeetingWrite::remove && past && !policy.change_past_meetings)
    return {.write = false, .reason = "past-meeting"};
  if (!facts.is_organizer) {
    if (facts.write == MeetingWrite::remove) return {.write = false, .reason = "not-organizer"};
    // An attendee's copy: free/busy, reminder and categories are this person's own, the rest is the
    // organiser's.
    const bool only_own = std::none_of(std::begin(seen_by_attendees), std::end(seen_by_attendees),
                                       [&](std::string_view name) { return facts.changes.contains(name); });
    if (facts.write == MeetingWrite::update && !only_own) return {.write = false, .reason = "not-organizer"};
    return {.write = true, .mail = false, .reason = "not-organizer"};
  }
  // Whoever was taken off the list is told, too.
  const bool has_attendees =
      count_attendees(facts.fields) > 0 ||
      (facts.write == MeetingWrite::update &&
       std::any_of(std::begin(attendee_lists), std::end(attendee_lists),
                   [&](std::string_view name) { return facts.changes.contains(name); }));
  if (past && facts.write == MeetingWrite::update && has_attendees && !policy.change_past_meetings)
    return {.write = false, .reason = "past-meeting"};
  if (!has_attendees) return {.write = true, .mail = false, .reason = "no-attendees"};
  if (past) return {.write = true, .mail = false, .reason = "past-meeting"};
  if (!policy.send_invitations) return {.write = true, .mail = false, .reason = "invitations-off"};
  if (facts.write == MeetingWrite::update &&
      std::none_of(std::begin(seen_by_attendees), std::end(seen_by_attendees),
                   [&](std::string_view name) { return facts.changes.contains(name); }))
    return {.write = true, .mail = false, .reason = "nothing-to-tell"};
  return {.write = true, .mail = true, .reason = "attendees"};
}

}  // namespace syncline::sync::plan
