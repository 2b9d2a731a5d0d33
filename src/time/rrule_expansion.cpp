// SPDX-License-Identifier: GPL-3.0-or-later
// RFC 5545 section 3.3.10. A period (day, week, month or year) yields a set of days, every day a set of
// times; BYSETPOS chooses from their product without building it.
#include <algorithm>

#include "time/expansion.hpp"

namespace syncline::time {
namespace {

namespace chrono = std::chrono;

bool has(const std::vector<int>& values, int value) {
  return std::binary_search(values.begin(), values.end(), value);
}
/// `value` of `length` from the front, or counted from the back.
bool has_either(const std::vector<int>& values, int value, int length) {
  return has(values, value) || has(values, value - length - 1);
}

/// The rule with what RFC 5545 takes from DTSTART filled in.
RecurrenceRule with_defaults(RecurrenceRule rule, const CivilTime& start) {
  const Date date = date_of(start.time);
  const chrono::weekday weekday{day_of(start.time)};
  const auto month = static_cast<int>(static_cast<unsigned>(date.month()));
  const auto day = static_cast<int>(static_cast<unsigned>(date.day()));
  const bool no_days = rule.by_day.empty() && rule.by_month_day.empty() && rule.by_year_day.empty();
  if (no_days) {
    switch (rule.frequency) {
      case Frequency::daily:
        break;
      case Frequency::weekly:
        rule.by_day.push_back({0, weekday});
        break;
      case Frequency::monthly:
        rule.by_month_day.push_back(day);
        break;
      case Frequency::yearly:
        if (!rule.by_week_no.empty()) {
          rule.by_day.push_back({0, weekday});
        } else {
          if (rule.by_month.empty()) rule.by_month.push_back(month);
          rule.by_month_day.push_back(day);
        }
    }
  }
  if (start.is_date) {
    rule.by_hour = rule.by_minute = rule.by_second = {0};
    return rule;
  }
  const chrono::hh_mm_ss clock{start.time - day_of(start.time)};
  if (rule.by_hour.empty()) rule.by_hour.push_back(static_cast<int>(clock.hours().count()));
  if (rule.by_minute.empty()) rule.by_minute.push_back(static_cast<int>(clock.minutes().count()));
  if (rule.by_second.empty()) rule.by_second.push_back(static_cast<int>(clock.seconds().count()));
  // A leap second is the second before it, as RFC 5545 allows.
  if (rule.by_second.back() == 60) {
    rule.by_second.back() = 59;
    if (rule.by_second.size() > 1 && rule.by_second[rule.by_second.size() - 2] == 59)
      rule.by_second.pop_back();
  }
  return rule;
}

class RuleWalk {
 public:
  RuleWalk(const RecurrenceRule& rule, const CivilTime& start, const ExpansionLimits& limits,
           seconds until_offset)
      : rule_(with_defaults(rule, start)),
        start_(start.time),
        week_start_(rule.week_start.value_or(chrono::Monday)),
        limits_(limits),
        last_(last_moment(rule, start, until_offset)) {
    last_ = std::min(last_, local_seconds{limits.last_day} + chrono::hours{24} - seconds{1});
    for (const int hour : rule_.by_hour) {
      for (const int minute : rule_.by_minute) {
        for (const int second : rule_.by_second) {
          times_.push_back(chrono::hours{hour} + chrono::minutes{minute} + seconds{second});
        }
      }
    }
    for (const ByDay& by : rule_.by_day) {
      if (by.ordinal == 0) {
        plain_days_ = static_cast<model::WeekdayMask>(plain_days_ | model::mask_of(by.day));
      } else {
        has_ordinals_ = true;
      }
    }
  }

  RuleExpansion run() {
    first_period();
    while (!finished_) {
      if (period_begin_ > last_ || static_cast<int>(date_of(period_begin_).year()) > last_year) break;
      if (!step()) break;
      if (!skip_period()) {
        collect_days();
        emit_period();
      }
      next_period();
    }
    // Not even the first period gave it: it counts all the same.
    if (!started_) add_extra_start();
    return std::move(result_);
  }

 private:
  static local_seconds last_moment(const RecurrenceRule& rule, const CivilTime& start, seconds until_offset) {
    if (!rule.until) return local_seconds::max();
    const CivilTime& until = *rule.until;
    // A date includes its whole day; a time limits a series of dates to its day.
    if (until.is_date || start.is_date)
      return local_seconds{day_of(until.time)} + chrono::hours{24} - seconds{1};
    return until.offset ? until.time + until_offset : until.time;
  }

  bool step(std::uint64_t cost = 1) {
    if (steps_ + cost > limits_.max_steps) {
      result_.end = Expansion::End::steps_spent;
      finished_ = true;
      return false;
    }
    steps_ += cost;
    return true;
  }

  void first_period() {
    const local_days day = day_of(start_);
    const Date date = date_of(start_);
    switch (rule_.frequency) {
      case Frequency::daily:
        period_begin_ = day;
        break;
      case Frequency::weekly:
        period_begin_ = day - (chrono::weekday{day} - week_start_);
        break;
      case Frequency::monthly:
        period_begin_ = days_of(date.year() / date.month() / 1);
        break;
      case Frequency::yearly:
        period_begin_ = days_of(date.year() / chrono::January / 1);
    }
  }

  void next_period() {
    const Date date = date_of(period_begin_);
    switch (rule_.frequency) {
      case Frequency::daily:
        period_begin_ += chrono::days{rule_.interval};
        break;
      case Frequency::weekly:
        period_begin_ += chrono::weeks{rule_.interval};
        break;
      case Frequency::monthly: {
        const auto month = date.year() / date.month() + chrono::months{rule_.interval};
        if (static_cast<int>(month.year()) > last_year) {
          finished_ = true;
        } else {
          period_begin_ = days_of(month / 1);
        }
        break;
      }
      case Frequency::yearly: {
        const int year = static_cast<int>(date.year()) + rule_.interval;
        if (year > last_year) {
          finished_ = true;
        } else {
          period_begin_ = days_of(chrono::year{year} / chrono::January / 1);
        }
      }
    }
  }

  /// Months that BYMONTH excludes need not be walked.
  bool skip_period() const {
    if (rule_.by_month.empty()) return false;
    if (rule_.frequency != Frequency::daily && rule_.frequency != Frequency::monthly) return false;
    return !has(rule_.by_month, static_cast<int>(static_cast<unsigned>(date_of(period_begin_).month())));
  }

  void collect_days() {
    days_.clear();
    local_days day = period_begin_;
    const Date first = date_of(period_begin_);
    int length = 1;
    switch (rule_.frequency) {
      case Frequency::daily:
        break;
      case Frequency::weekly:
        length = 7;
        break;
      case Frequency::monthly:
        length = days_in_month(static_cast<int>(first.year()),
                               static_cast<int>(static_cast<unsigned>(first.month())));
        break;
      case Frequency::yearly:
        length = first.year().is_leap() ? 366 : 365;
    }
    for (int i = 0; i < length;) {
      const int passed = rule_.frequency == Frequency::yearly ? excluded_month_days(day) : 0;
      if (!step()) return;
      if (passed == 0 && matches(day)) days_.push_back(day);
      i += std::max(passed, 1);
      day += chrono::days{std::max(passed, 1)};
    }
  }

  /// The length of the month that begins on `day` if BYMONTH leaves it out, else 0: a year is not walked for
  /// a month.
  int excluded_month_days(local_days day) const {
    if (rule_.by_month.empty()) return 0;
    const Date date{day};
    const auto month = static_cast<int>(static_cast<unsigned>(date.month()));
    if (date.day() != chrono::day{1} || has(rule_.by_month, month)) return 0;
    return days_in_month(static_cast<int>(date.year()), month);
  }

  bool matches(local_days day) const {
    const Date date{day};
    const auto year = static_cast<int>(date.year());
    const auto month = static_cast<int>(static_cast<unsigned>(date.month()));
    const auto month_day = static_cast<int>(static_cast<unsigned>(date.day()));
    if (!rule_.by_month.empty() && !has(rule_.by_month, month)) return false;
    if (!rule_.by_month_day.empty() &&
        !has_either(rule_.by_month_day, month_day, days_in_month(year, month))) {
      return false;
    }
    if (!rule_.by_day.empty() && !matches_by_day(day, year, month, month_day)) return false;
    if (!rule_.by_year_day.empty()) {
      const int length = date.year().is_leap() ? 366 : 365;
      if (!has_either(rule_.by_year_day, year_day(day, year), length)) return false;
    }
    return rule_.by_week_no.empty() || matches_week(day, year);
  }

  static int year_day(local_days day, int year) {
    return static_cast<int>((day - local_days{chrono::year{year} / chrono::January / 1}).count()) + 1;
  }

  bool matches_by_day(local_days day, int year, int month, int month_day) const {
    const chrono::weekday weekday{day};
    if ((plain_days_ & model::mask_of(weekday)) != 0) return true;
    if (!has_ordinals_) return false;
    // A number counts within the month, or within the year for YEARLY without BYMONTH.
    const bool in_month = rule_.frequency == Frequency::monthly || !rule_.by_month.empty();
    const int position = in_month ? month_day : year_day(day, year);
    const int length = in_month ? days_in_month(year, month) : (chrono::year{year}.is_leap() ? 366 : 365);
    const int from_front = (position - 1) / 7 + 1;
    const int from_back = -((length - position) / 7 + 1);
    return std::any_of(rule_.by_day.begin(), rule_.by_day.end(), [&](const ByDay& by) {
      return by.day == weekday && by.ordinal != 0 && (by.ordinal == from_front || by.ordinal == from_back);
    });
  }

  /// The first day of week 1: the week, beginning on WKST, with at least four days in that year (ISO 8601).
  local_days week_one(int year) const {
    const local_days fourth{chrono::year{year} / chrono::January / 4};
    return fourth - (chrono::weekday{fourth} - week_start_);
  }

  bool matches_week(local_days day, int year) const {
    int week_year = year;
    if (day < week_one(year)) {
      --week_year;
    } else if (day >= week_one(year + 1)) {
      ++week_year;
    }
    const local_days first = week_one(week_year);
    const auto weeks = static_cast<int>((week_one(week_year + 1) - first).count() / 7);
    return has_either(rule_.by_week_no, static_cast<int>((day - first).count() / 7) + 1, weeks);
  }

  void emit_period() {
    if (finished_ || days_.empty()) return;
    const auto at = [this](std::size_t index) {
      return local_seconds{days_[index / times_.size()]} + times_[index % times_.size()];
    };
    const std::size_t size = days_.size() * times_.size();
    if (rule_.by_set_pos.empty()) {
      std::size_t first = 0;
      // Days before the start are skipped whole.
      while (first < days_.size() && days_[first] < day_of(start_)) ++first;
      for (std::size_t i = first * times_.size(); i < size && !finished_; ++i) offer(at(i));
      return;
    }
    std::vector<std::size_t> chosen;
    for (const int position : rule_.by_set_pos) {
      const auto distance = static_cast<std::size_t>(std::abs(position));
      if (distance > size) continue;
      chosen.push_back(position > 0 ? distance - 1 : size - distance);
    }
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const std::size_t index : chosen) {
      if (finished_) return;
      offer(at(index));
    }
  }

  void offer(local_seconds time) {
    if (time < start_ || !step()) return;
    if (!started_) {
      if (time != start_) add_extra_start();
      if (finished_) return;
      started_ = true;
    }
    add(time);
  }

  void add_extra_start() {
    if (start_ > last_) return;
    result_.start_is_extra = true;
    started_ = true;
    add(start_);
  }

  void add(local_seconds time) {
    if (time > last_) {
      finished_ = true;
      return;
    }
    if (result_.occurrences.size() == limits_.max_occurrences) {
      result_.end = Expansion::End::more;
      finished_ = true;
      return;
    }
    result_.occurrences.push_back(time);
    if (rule_.count && result_.occurrences.size() == static_cast<std::size_t>(*rule_.count)) finished_ = true;
  }

  RecurrenceRule rule_;
  local_seconds start_;
  chrono::weekday week_start_;
  ExpansionLimits limits_;
  local_seconds last_;
  std::vector<seconds> times_;
  model::WeekdayMask plain_days_ = 0;
  bool has_ordinals_ = false;
  local_days period_begin_{};
  std::vector<local_days> days_;
  std::uint64_t steps_ = 0;
  bool started_ = false;
  bool finished_ = false;
  RuleExpansion result_;
};

}  // namespace

RuleExpansion expand(const RecurrenceRule& rule, const CivilTime& start, const ExpansionLimits& limits,
                     seconds until_offset) {
  return RuleWalk(rule, start, limits, until_offset).run();
}

}  // namespace syncline::time
