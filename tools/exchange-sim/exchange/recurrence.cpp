// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/recurrence.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"

namespace exchange_sim {
namespace {

using Pattern = Recurrence::Pattern;

constexpr std::array<std::string_view, 10> kPatternNames = {
    "DailyRecurrence",           "WeeklyRecurrence",         "AbsoluteMonthlyRecurrence",
    "RelativeMonthlyRecurrence", "AbsoluteYearlyRecurrence", "RelativeYearlyRecurrence",
    "DailyRegeneration",         "WeeklyRegeneration",       "MonthlyRegeneration",
    "YearlyRegeneration"};
constexpr std::array<std::string_view, 7> kDayNames = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonthNames = {"January",   "February", "March",    "April",
                                                          "May",       "June",     "July",     "August",
                                                          "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 5> kIndexNames = {"First", "Second", "Third", "Fourth", "Last"};

constexpr unsigned kEveryDay = 0x7F;
constexpr unsigned kWorkDays = 0x3E;
constexpr unsigned kWeekend = 0x41;
// Outlook's own end of time for series without end.
const Day kLastDay = day_of(4500, 8, 31);

unsigned day_bits(std::string_view names) {
  unsigned bits = 0;
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find_first_of(" \t\r\n", at), names.size());
    const std::string_view name = names.substr(at, end - at);
    if (name == "Day") bits |= kEveryDay;
    if (name == "Weekday") bits |= kWorkDays;
    if (name == "WeekendDay") bits |= kWeekend;
    for (std::size_t d = 0; d < kDayNames.size(); ++d)
      if (name == kDayNames[d]) bits |= 1U << d;
    at = end + 1;
  }
  return bits;
}

std::string day_names(unsigned bits, bool relative) {
  if (relative && bits == kEveryDay) return "Day";
  if (relative && bits == kWorkDays) return "Weekday";
  if (relative && bits == kWeekend) return "WeekendDay";
  std::string out;
  for (std::size_t d = 0; d < kDayNames.size(); ++d) {
    if ((bits & (1U << d)) == 0) continue;
    if (!out.empty()) out += ' ';
    out += kDayNames[d];
  }
  return out;
}

template <std::size_t N>
int position(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? -1 : static_cast<int>(at - names.begin());
}

syncline::unexpected<syncline::Error> invalid(const char* what) {
  return syncline::fail(syncline::ErrorDomain::ews, "ErrorCalendarInvalidRecurrence",
                        std::string("Recurrence is invalid: ") + what);
}

int month_number(const CivilDate& date) noexcept {
  return date.year * 12 + date.month;
}

bool is_nth(const Recurrence& r, const CivilDate& date, Day day) noexcept {
  if ((r.days & (1U << weekday(day))) == 0) return false;
  int before = 0;
  int after = 0;
  const int length = days_in_month(date.year, date.month);
  for (int d = 1; d <= length; ++d) {
    if ((r.days & (1U << weekday(day + d - date.day))) == 0) continue;
    if (d < date.day) ++before;
    if (d > date.day) ++after;
  }
  return r.index == 5 ? after == 0 : before == r.index - 1;
}

Day week_start(Day day, int first_day_of_week) noexcept {
  return day - (weekday(day) - first_day_of_week + 7) % 7;
}

}  // namespace

syncline::Result<Recurrence> read_recurrence(const Element& element, bool for_task) {
  Recurrence r;
  const Element* pattern = nullptr;
  const Element* range = nullptr;
  for (const Element& child : element.children) {
    const int at = position(kPatternNames, child.name);
    if (at >= 0) {
      pattern = &child;
      r.pattern = static_cast<Pattern>(at);
    } else if (child.name == "NoEndRecurrence" || child.name == "EndDateRecurrence" ||
               child.name == "NumberedRecurrence") {
      range = &child;
    }
  }
  if (pattern == nullptr || range == nullptr) return invalid("pattern or range is missing");
  if (r.regenerates() && !for_task) return invalid("only tasks regenerate");
  const bool yearly = r.pattern == Pattern::absolute_yearly || r.pattern == Pattern::relative_yearly;
  if (!yearly) {
    const auto interval = syncline::text::parse_int(pattern->child_text("Interval"));
    if (!interval || *interval < 1 || *interval > 999) return invalid("Interval");
    r.interval = static_cast<int>(*interval);
  }
  if (r.pattern == Pattern::weekly || r.pattern == Pattern::relative_monthly ||
      r.pattern == Pattern::relative_yearly) {
    r.days = day_bits(pattern->child_text("DaysOfWeek"));
    if (r.days == 0) return invalid("DaysOfWeek");
  }
  if (r.pattern == Pattern::weekly && pattern->child("FirstDayOfWeek") != nullptr) {
    const int first = position(kDayNames, pattern->child_text("FirstDayOfWeek"));
    if (first < 0) return invalid("FirstDayOfWeek");
    r.first_day_of_week = first;
    r.has_first_day = true;
  }
  if (r.pattern == Pattern::relative_monthly || r.pattern == Pattern::relative_yearly) {
    const int index = position(kIndexNames, pattern->child_text("DayOfWeekIndex"));
    if (index < 0) return invalid("DayOfWeekIndex");
    r.index = index + 1;
  }
  if (r.pattern == Pattern::absolute_monthly || r.pattern == Pattern::absolute_yearly) {
    const auto day = syncline::text::parse_int(pattern->child_text("DayOfMonth"));
    if (!day || *day < 1 || *day > 31) return invalid("DayOfMonth");
    r.day_of_month = static_cast<int>(*day);
  }
  if (yearly) {
    const int month = position(kMonthNames, pattern->child_text("Month"));
    if (month < 0) return invalid("Month");
    r.month = month + 1;
  }
  const auto start = parse_day(range->child_text("StartDate"));
  if (!start) return invalid("StartDate");
  r.start = *start;
  if (range->name == "EndDateRecurrence") {
    r.end = parse_day(range->child_text("EndDate"));
    if (!r.end) return invalid("EndDate");
    if (*r.end < r.start)
      return syncline::fail(syncline::ErrorDomain::ews, "ErrorCalendarEndDateIsEarlierThanStartDate",
                            "EndDate is earlier than StartDate");
  } else if (range->name == "NumberedRecurrence") {
    const auto count = syncline::text::parse_int(range->child_text("NumberOfOccurrences"));
    if (!count || *count < 1 || *count > 999) return invalid("NumberOfOccurrences");
    r.count = static_cast<int>(*count);
  }
  return r;
}

std::string write_recurrence(const Recurrence& r) {
  const std::string_view name = kPatternNames[static_cast<std::size_t>(r.pattern)];
  const bool yearly = r.pattern == Pattern::absolute_yearly || r.pattern == Pattern::relative_yearly;
  const bool relative = r.pattern == Pattern::relative_monthly || r.pattern == Pattern::relative_yearly;
  std::string out = "<t:";
  out += name;
  out += '>';
  if (!yearly) append_text_element(out, "Interval", std::to_string(r.interval));
  if (relative || r.pattern == Pattern::weekly)
    append_text_element(out, "DaysOfWeek", day_names(r.days, relative));
  if (relative)
    append_text_element(out, "DayOfWeekIndex", kIndexNames[static_cast<std::size_t>(r.index - 1)]);
  if (r.pattern == Pattern::absolute_monthly || r.pattern == Pattern::absolute_yearly)
    append_text_element(out, "DayOfMonth", std::to_string(r.day_of_month));
  if (yearly) append_text_element(out, "Month", kMonthNames[static_cast<std::size_t>(r.month - 1)]);
  if (r.pattern == Pattern::weekly && r.has_first_day)
    append_text_element(out, "FirstDayOfWeek", kDayNames[static_cast<std::size_t>(r.first_day_of_week)]);
  out += "</t:";
  out += name;
  out += '>';
  const std::string_view range = r.end     ? "EndDateRecurrence"
                                 : r.count ? "NumberedRecurrence"
                                           : "NoEndRecurrence";
  out += "<t:";
  out += range;
  out += '>';
  append_text_element(out, "StartDate", format_day(r.start));
  if (r.end) append_text_element(out, "EndDate", format_day(*r.end));
  if (!r.end && r.count) append_text_element(out, "NumberOfOccurrences", std::to_string(*r.count));
  out += "</t:";
  out += range;
  out += '>';
  return out;
}

bool falls_on(const Recurrence& r, Day day) noexcept {
  if (day < r.start) return false;
  const CivilDate date = civil(day);
  switch (r.pattern) {
    case Pattern::daily:
    case Pattern::daily_regeneration:
      return (day - r.start) % r.interval == 0;
    case Pattern::weekly:
      return (r.days & (1U << weekday(day))) != 0 &&
             (week_start(day, r.first_day_of_week) - week_start(r.start, r.first_day_of_week)) / 7 %
                     r.interval ==
                 0;
    case Pattern::absolute_monthly:
      // The 31st is the last day of a shorter month.
      return (month_number(date) - month_number(civil(r.start))) % r.interval == 0 &&
             date.day == std::min(r.day_of_month, days_in_month(date.year, date.month));
    case Pattern::relative_monthly:
      return (month_number(date) - month_number(civil(r.start))) % r.interval == 0 && is_nth(r, date, day);
    case Pattern::absolute_yearly:
      return date.month == r.month &&
             date.day == std::min(r.day_of_month, days_in_month(date.year, date.month));
    case Pattern::relative_yearly:
      return date.month == r.month && is_nth(r, date, day);
    case Pattern::weekly_regeneration:
      return (day - r.start) % (r.interval * 7) == 0;
    case Pattern::monthly_regeneration:
    case Pattern::yearly_regeneration: {
      const CivilDate start = civil(r.start);
      const int step = r.pattern == Pattern::yearly_regeneration ? r.interval * 12 : r.interval;
      return (month_number(date) - month_number(start)) % step == 0 &&
             date.day == std::min(start.day, days_in_month(date.year, date.month));
    }
  }
  return false;
}

void walk(const Recurrence& r, Day last, const std::function<bool(Day, std::size_t)>& visit) {
  last = std::min(last, kLastDay);
  if (r.end) last = std::min(last, *r.end);
  std::size_t index = 0;
  for (Day day = r.start; day <= last; ++day) {
    if (!falls_on(r, day)) continue;
    if (!visit(day, ++index)) return;
    if (r.count && index >= static_cast<std::size_t>(*r.count)) return;
  }
}

std::optional<Day> first_day(const Recurrence& r) {
  std::optional<Day> found;
  walk(r, kLastDay, [&](Day day, std::size_t) {
    found = day;
    return false;
  });
  return found;
}

std::optional<Day> last_day(const Recurrence& r) {
  if (!r.end && !r.count) return std::nullopt;
  std::optional<Day> found;
  walk(r, kLastDay, [&](Day day, std::size_t) {
    found = day;
    return true;
  });
  return found;
}

Day regenerate(const Recurrence& r, Day done) noexcept {
  switch (r.pattern) {
    case Pattern::weekly_regeneration:
      return done + 7 * r.interval;
    case Pattern::monthly_regeneration:
    case Pattern::yearly_regeneration: {
      CivilDate date = civil(done);
      const int months =
          date.month - 1 + (r.pattern == Pattern::yearly_regeneration ? 12 * r.interval : r.interval);
      date.year += months / 12;
      date.month = months % 12 + 1;
      return day_of(date.year, date.month, std::min(date.day, days_in_month(date.year, date.month)));
    }
    default:
      return done + r.interval;
  }
}

}  // namespace exchange_sim
