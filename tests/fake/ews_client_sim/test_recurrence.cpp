// SPDX-License-Identifier: GPL-3.0-or-later
// our expansion of a series gives what the server's calendar view gives.
#include <algorithm>
#include <map>
#include <set>

#include "exchange_fixture.hpp"
#include "tests/unit/time/generated_recurrences.hpp"
#include "time/expansion.hpp"
#include "time/series.hpp"

namespace syncline::ews {
namespace {

namespace chrono = std::chrono;
using time::local_days;
using time::sys_seconds;

Date date_of(model::Date date) {
  return Date::of(static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()));
}

// Both number these enumerations as the protocol lists them.
DayOfWeek of(model::DayOfWeek day) {
  return static_cast<DayOfWeek>(day);
}
DayOfWeekIndex of(model::DayOfWeekIndex index) {
  return static_cast<DayOfWeekIndex>(index);
}
Month month_of(int number) {
  return static_cast<Month>(number - 1);
}

struct PatternOnTheWire {
  RecurrencePattern operator()(const model::DailyPattern& pattern) const {
    return DailyPattern{.interval = pattern.interval};
  }
  RecurrencePattern operator()(const model::WeeklyPattern& pattern) const {
    WeeklyPattern weekly{.interval = pattern.interval, .days = {}};
    for (unsigned day = 0; day < 7; ++day)
      if ((pattern.days >> day & 1U) != 0) weekly.days.emplace_back(static_cast<DayOfWeek>(day));
    if (pattern.first_day_of_week)
      weekly.first_day_of_week = static_cast<DayOfWeek>(pattern.first_day_of_week->c_encoding());
    return weekly;
  }
  RecurrencePattern operator()(const model::AbsoluteMonthlyPattern& pattern) const {
    return AbsoluteMonthlyPattern{.interval = pattern.interval, .day_of_month = pattern.day_of_month};
  }
  RecurrencePattern operator()(const model::RelativeMonthlyPattern& pattern) const {
    return RelativeMonthlyPattern{
        .interval = pattern.interval, .days = {of(pattern.day)}, .index = of(pattern.index)};
  }
  RecurrencePattern operator()(const model::AbsoluteYearlyPattern& pattern) const {
    return AbsoluteYearlyPattern{.day_of_month = pattern.day_of_month, .month = month_of(pattern.month)};
  }
  RecurrencePattern operator()(const model::RelativeYearlyPattern& pattern) const {
    return RelativeYearlyPattern{
        .days = {of(pattern.day)}, .index = of(pattern.index), .month = month_of(pattern.month)};
  }
  RecurrencePattern operator()(const model::RegenerationPattern&) const { return {}; }
};

Recurrence on_the_wire(const model::Recurrence& recurrence) {
  Recurrence written{.pattern = std::visit(PatternOnTheWire{}, recurrence.pattern), .range = {}};
  const Date start = date_of(recurrence.range.start);
  if (const auto* end = std::get_if<model::Date>(&recurrence.range.end)) {
    written.range = EndDateRange{.start = start, .end = date_of(*end)};
  } else if (const auto* count = std::get_if<model::RecurrenceRange::Numbered>(&recurrence.range.end)) {
    written.range = NumberedRange{.start = start, .count = count->number_of_occurrences};
  } else {
    written.range = NoEndRange{.start = start};
  }
  return written;
}

DateTime instant(sys_seconds at) {
  return DateTime::at(at.time_since_epoch().count() * 1000);
}

struct Window {
  sys_seconds from, to;
};

/// Number of a series, start of one occurrence.
using Seen = std::set<std::pair<int, sys_seconds>>;

struct NamedZone {
  const char* windows;
  const char* iana;
};

class CalendarViews : public testing::ExchangeFixture {
 protected:
  ItemId create(const FolderRef& folder, Item item) {
    CreateItemRequest request{.saved_item_folder = folder, .items = {}};
    request.send_meeting_invitations = SendInvitations::send_to_none;
    request.items.emplace_back(std::move(item));
    auto reply = run(client_.call(std::move(request)));
    EXPECT_TRUE(reply && reply->messages.at(0).ok());
    if (!reply || reply->messages[0].value.empty()) return {};
    return reply->messages[0].value[0].item_id.value_or(ItemId{});
  }

  /// The server's code.
  std::string update(const ItemRef& id, std::vector<ItemUpdate> updates) {
    UpdateItemRequest request{.changes = {{.id = id, .updates = std::move(updates)}}};
    request.send_meeting_invitations_or_cancellations = SendInvitationsOrCancellations::send_to_none;
    const auto reply = run(client_.call(std::move(request)));
    return reply ? reply->messages.at(0).code : reply.error().describe();
  }

  std::optional<Item> properties(const ItemRef& id) {
    GetItemRequest request{
        .shape = {.base = BaseShape::id_only,
                  .additional = {FieldUri{"item:Subject"}, FieldUri{"calendar:Start"},
                                 FieldUri{"calendar:End"}, FieldUri{"calendar:Location"},
                                 FieldUri{"calendar:StartTimeZone"}, FieldUri{"calendar:Recurrence"}}},
        .ids = {id}};
    auto reply = run(client_.call(std::move(request)));
    if (!reply || !reply->messages.at(0).ok()) return std::nullopt;
    return reply->messages[0].value.at(0);
  }

  /// What the calendar view of a folder shows; a view the server cuts short is asked for in halves.
  void look(const FolderRef& folder, Window whole, Seen& seen) {
    std::vector<Window> todo{whole};
    while (!todo.empty()) {
      const Window window = todo.back();
      todo.pop_back();
      FindItemRequest request{.shape = {.base = BaseShape::id_only,
                                        .additional = {FieldUri{"item:Subject"}, FieldUri{"calendar:Start"}}},
                              .view = CalendarView{.start = instant(window.from), .end = instant(window.to)},
                              .parents = {folder}};
      const auto reply = run(client_.call(std::move(request)));
      ASSERT_TRUE(reply) << reply.error().describe();
      ASSERT_TRUE(reply->messages.at(0).ok()) << reply->messages[0].code;
      const ItemPage& page = reply->messages[0].value;
      if (!page.includes_last_item_in_range.value_or(false)) {
        const auto middle = window.from + (window.to - window.from) / 2;
        ASSERT_GT(middle, window.from);
        todo.push_back({window.from, middle});
        todo.push_back({middle, window.to});
        continue;
      }
      for (const Item& item : page.items) {
        const sys_seconds start{chrono::seconds{*item.calendar->start->unix_ms() / 1000}};
        seen.emplace(std::stoi(*item.subject), start);
      }
    }
  }
};

/// A weekly meeting at 09:30 in Berlin, 52 times, from the first Sunday of 2026: both changes of the clocks
/// fall on one.
Item weekly_in_berlin() {
  Item item{.kind = ItemKind::calendar_item};
  item.subject = "1";
  auto& part = item.calendar.get_or_make();
  const sys_seconds first =
      chrono::sys_days{chrono::year{2026} / chrono::January / 4} + chrono::minutes{8 * 60 + 30};
  part.start = instant(first);
  part.end = instant(first + chrono::hours{1});
  part.location = "Room 1";
  part.start_time_zone = TimeZoneDefinition{.id = "W. Europe Standard Time"};
  part.recurrence = Recurrence{.pattern = WeeklyPattern{.interval = 1, .days = {DayOfWeek::sunday}},
                               .range = NumberedRange{.start = Date::of(2026, 1, 4), .count = 52}};
  return item;
}

const Window year_2026{chrono::sys_days{chrono::year{2026} / chrono::January / 1},
                       chrono::sys_days{chrono::year{2027} / chrono::January / 1}};

TEST_F(CalendarViews, R26_DeletingAndMovingOneOccurrenceLeavesTheOtherFiftyAlone) {
  const FolderRef calendar = DistinguishedFolderId{.name = "calendar"};
  const ItemId master = create(calendar, weekly_in_berlin());
  Seen before;
  look(calendar, year_2026, before);
  ASSERT_EQ(before.size(), 52u);

  DeleteItemRequest decline{.ids = {OccurrenceItemId{master.id, 13}}};
  decline.send_meeting_cancellations = SendInvitations::send_to_none;
  const auto deleted = run(client_.call(std::move(decline)));
  ASSERT_TRUE(deleted && deleted->messages.at(0).ok()) << deleted->messages[0].code;
  // Number 13 was the day on which the clocks change; 14 moves to the Monday after it.
  const auto original = std::next(before.begin(), 13)->second;
  Item moved{.kind = ItemKind::calendar_item};
  moved.calendar.get_or_make().start = instant(original + chrono::days{1});
  Item ended{.kind = ItemKind::calendar_item};
  ended.calendar.get_or_make().end = instant(original + chrono::days{1} + chrono::hours{1});
  const auto fourteenth = properties(OccurrenceItemId{master.id, 14});
  ASSERT_TRUE(fourteenth);
  const auto updated = update(*fourteenth->item_id, {SetItemField{FieldUri{"calendar:Start"}, moved},
                                                     SetItemField{FieldUri{"calendar:End"}, ended}});
  ASSERT_EQ(updated, "NoError");

  Seen expected = before;
  expected.erase(std::next(expected.begin(), 12));
  expected.erase({1, original});
  expected.emplace(1, original + chrono::days{1});
  Seen after;
  look(calendar, year_2026, after);
  EXPECT_EQ(after, expected);
  // And the moved one has all that was not said of it.
  const auto read = properties(OccurrenceItemId{master.id, 14});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->calendar->location, "Room 1");
}

TEST_F(CalendarViews, R24_ANewSubjectNeverAltersStartEndOrZone) {
  const FolderRef calendar = DistinguishedFolderId{.name = "calendar"};
  for (const char* zone :
       {"W. Europe Standard Time", "Canada Central Standard Time", "tzone://Microsoft/Utc"}) {
    Item item = weekly_in_berlin();
    item.calendar.get_or_make().start_time_zone = TimeZoneDefinition{.id = zone};
    const ItemId id = create(calendar, std::move(item));
    const auto before = properties(id);
    ASSERT_TRUE(before) << zone;
    Item renamed{.kind = ItemKind::calendar_item, .subject = "2"};
    ASSERT_EQ(update(*before->item_id, {SetItemField{FieldUri{"item:Subject"}, renamed}}), "NoError");
    const auto after = properties(id);
    ASSERT_TRUE(after) << zone;
    EXPECT_EQ(after->subject, "2");
    EXPECT_EQ(after->calendar->start->text(), before->calendar->start->text());
    EXPECT_EQ(after->calendar->end->text(), before->calendar->end->text());
    EXPECT_EQ(after->calendar->start_time_zone, before->calendar->start_time_zone);
    EXPECT_EQ(after->calendar->recurrence, before->calendar->recurrence);
  }
}

TEST_F(CalendarViews, R26_EqualOurExpansionForTenThousandGeneratedRules) {
  constexpr int batches = 50;
  constexpr int series_in_a_batch = 200;
  // Most batches are in UTC: zones cost the test Exchange more than all else.
  const NamedZone zones[] = {{"W. Europe Standard Time", "Europe/Berlin"},
                             {"AUS Eastern Standard Time", "Australia/Sydney"}};
  time::testing::RecurrenceGenerator generator(2026);
  std::size_t compared = 0;
  std::size_t without_occurrence = 0;
  std::size_t rules = 0;
  for (int batch = 0; batch < batches; ++batch) {
    // Two out of three batches hold what comes at most once a month, so that two years fit into a view.
    const bool is_dense = batch % 3 == 0;
    const NamedZone* named = batch % 10 == 0 ? &zones[batch / 10 % 2] : nullptr;
    const auto zone = time::Zone::iana(named != nullptr ? named->iana : "UTC");
    ASSERT_TRUE(zone);
    Folder calendar{.kind = FolderKind::calendar};
    calendar.display_name = "calendar " + std::to_string(batch);
    CreateFolderRequest create{.parent = DistinguishedFolderId{.name = "msgfolderroot"},
                               .folders = {calendar}};
    const auto made = run(client_.call(std::move(create)));
    ASSERT_TRUE(made && made->messages.at(0).ok());
    const FolderRef folder = *made->messages[0].value.at(0).folder_id;

    std::vector<time::Series> all;
    CreateItemRequest request{.saved_item_folder = folder, .items = {}};
    request.send_meeting_invitations = SendInvitations::send_to_none;
    while (all.size() < series_in_a_batch) {
      time::Series series;
      series.recurrence = generator.recurrence(60);
      const bool often = series.recurrence.pattern.index() < 2;
      if (often != is_dense) continue;
      series.zone = *zone;
      series.time_of_day = chrono::minutes{generator.number(0, 95) * 15};
      // No change of the clocks skips or repeats these.
      if (series.time_of_day >= chrono::hours{1} && series.time_of_day < chrono::hours{4})
        series.time_of_day += chrono::hours{3};
      series.length = chrono::minutes{30};
      Item item{.kind = ItemKind::calendar_item};
      item.subject = std::to_string(all.size());
      auto& part = item.calendar.get_or_make();
      const auto first_start =
          zone->to_utc(time::days_of(series.recurrence.range.start) + series.time_of_day).utc;
      part.start = instant(first_start);
      part.end = instant(first_start + series.length);
      if (named != nullptr) part.start_time_zone = TimeZoneDefinition{.id = named->windows};
      part.recurrence = on_the_wire(series.recurrence);
      request.items.emplace_back(std::move(item));
      all.push_back(std::move(series));
    }
    rules += all.size();
    const auto created = run(client_.call(std::move(request)));
    ASSERT_TRUE(created) << created.error().describe();
    ASSERT_EQ(created->messages.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      time::ExpansionLimits one;
      one.max_occurrences = 1;
      const bool is_empty = time::expand(all[i].recurrence, one).days.empty();
      ASSERT_EQ(created->messages[i].code, is_empty ? "ErrorRecurrenceHasNoOccurrence" : "NoError") << i;
      without_occurrence += is_empty ? 1 : 0;
    }

    const sys_seconds begin = chrono::sys_days{chrono::year{2018} / chrono::January / 1};
    std::vector<Window> windows;
    if (is_dense) {
      // While they begin, and later: around a change of the clocks, where a wrong phase would show.
      windows = {{begin, begin + chrono::days{20}}, {begin + chrono::days{75}, begin + chrono::days{90}}};
    } else {
      windows = {{begin, begin + chrono::days{730}}};
    }
    for (const Window& window : windows) {
      Seen theirs;
      look(folder, window, theirs);
      if (HasFatalFailure()) return;
      Seen ours;
      const auto day_before = chrono::floor<chrono::days>(window.from) - chrono::days{2};
      const auto day_after = chrono::ceil<chrono::days>(window.to) + chrono::days{2};
      for (std::size_t i = 0; i < all.size(); ++i) {
        for (const time::Occurrence& occurrence :
             time::occurrences(all[i], local_days{day_before.time_since_epoch()},
                               local_days{day_after.time_since_epoch()})) {
          if (occurrence.start_utc < window.to && occurrence.end_utc > window.from)
            ours.emplace(static_cast<int>(i), occurrence.start_utc);
        }
      }
      ASSERT_EQ(ours, theirs) << "batch " << batch;
      compared += ours.size();
    }
  }
  EXPECT_EQ(rules, 10'000U);
  EXPECT_GT(compared, 20'000U) << "too little to mean anything";
  EXPECT_GT(without_occurrence, 50U) << "empty series were to be among them";
}

}  // namespace
}  // namespace syncline::ews
