// SPDX-License-Identifier: GPL-3.0-or-later
// Exceptions of a series (invariant 12). A changed master makes Exchange forget them, so the server's series
// is read again, compared with ours, and what is missing is written, one occurrence after the other. Each is
// done if the server's exception says what ours says, or bears the operation's mark.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "ews/driver/marks.hpp"
#include "ews/driver/read_items.hpp"
#include "ews/driver/to_item.hpp"
#include "ews/driver/write.hpp"
#include "model/field_catalogue.hpp"
#include "time/recurrence_text.hpp"
#include "time/series.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;

/// A record's series: what time:: knows of it, and its exceptions as the record says them.
struct RecordSeries {
  time::Series series;
  std::map<model::OccurrenceId, model::Fields> patches;
};

unexpected<Error> bad_series(std::string_view field) {
  return fail(ErrorDomain::input, "bad-value", std::string(field) + " of the series cannot be read");
}

std::optional<time::CivilTime> civil_at(const model::Fields& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return time::parse_civil(value->get_string());
}

/// The wall clock in the series' zone.
time::local_seconds clock_of(const time::CivilTime& civil, const time::Zone& zone) {
  if (civil.is_date) return civil.time;
  return zone.to_local(time::sys_seconds(civil.time.time_since_epoch()));
}

/// The occurrence that an original start names: of an all-day series a date.
model::OccurrenceId id_of_start(const time::Series& series, const time::CivilTime& civil) {
  if (civil.is_date) return {time::date_of(civil.time)};
  return time::occurrence_id(series, time::sys_seconds(civil.time.time_since_epoch()));
}

/// What a patch says beside its times, each as text.
model::FieldTexts texts_of(const model::Fields& patch) {
  model::FieldTexts texts;
  for (const auto& [name, value] : patch)
    if (name != "originalStart" && name != "start" && name != "end")
      texts[std::string(name)] = json::serialize(value);
  return texts;
}

Result<RecordSeries> series_of(const model::Fields& fields, const DriverState& state) {
  RecordSeries out;
  time::Series& series = out.series;
  auto recurrence = time::read_recurrence_json(fields.at("recurrence"));
  if (!recurrence || !recurrence->range) return bad_series("recurrence");
  series.recurrence = {.pattern = recurrence->pattern, .range = *recurrence->range};
  series.zone = state.zone;
  if (const json::value* zone = fields.if_contains("startTimeZone"); !says_nothing(zone))
    if (auto known = zone_of(*zone)) series.zone = std::move(*known);
  const json::value* all_day = fields.if_contains("isAllDayEvent");
  series.is_all_day = all_day != nullptr && all_day->is_bool() && all_day->get_bool();
  const auto start = civil_at(fields, "start");
  const auto end = civil_at(fields, "end");
  if (!start || !end) return bad_series(start ? "end" : "start");
  const time::local_seconds first = clock_of(*start, series.zone);
  series.time_of_day = first - time::day_of(first);
  series.length = clock_of(*end, series.zone) - first;

  if (const json::value* modified = fields.if_contains("modifiedOccurrences");
      modified != nullptr && modified->is_array()) {
    for (const json::value& element : modified->get_array()) {
      const json::object* patch = element.if_object();
      const auto original = patch == nullptr ? std::nullopt : civil_at(*patch, "originalStart");
      if (!original) return bad_series("modifiedOccurrences");
      const model::OccurrenceId id = id_of_start(series, *original);
      // Times that a patch does not say are those of the pattern.
      const time::local_seconds there = time::days_of(id.original_date) + series.time_of_day;
      const auto said_start = civil_at(*patch, "start");
      const auto said_end = civil_at(*patch, "end");
      model::ModifiedOccurrence exception;
      exception.id = id;
      exception.fields = texts_of(*patch);
      exception.start = said_start ? clock_of(*said_start, series.zone) : there;
      exception.end = said_end ? clock_of(*said_end, series.zone) : *exception.start + series.length;
      series.modified.push_back(std::move(exception));
      out.patches[id] = *patch;
    }
  }
  if (const json::value* deleted = fields.if_contains("deletedOccurrences");
      deleted != nullptr && deleted->is_array()) {
    for (const json::value& element : deleted->get_array()) {
      const auto original =
          element.is_string() ? time::parse_civil(element.get_string()) : std::optional<time::CivilTime>();
      if (!original) return bad_series("deletedOccurrences");
      series.deleted.push_back({id_of_start(series, *original)});
    }
  }
  return out;
}

/// `theirs` in our words: of a server's exception only what ours speaks of counts, and what says the same is
/// written the same.
time::Series in_our_words(const RecordSeries& ours, const RecordSeries& theirs, const model::Fields& master) {
  time::Series out = theirs.series;
  for (model::ModifiedOccurrence& exception : out.modified) {
    const auto mine = ours.patches.find(exception.id);
    if (mine == ours.patches.end()) continue;
    const model::Fields& said = theirs.patches.at(exception.id);
    const model::FieldTexts my_texts = texts_of(mine->second);
    exception.fields.clear();
    for (const auto& [name, text] : my_texts) {
      const model::FieldInfo* info = model::find_field(model::RecordKind::appointment, name);
      const json::value* value = said.if_contains(name);
      if (value == nullptr) value = master.if_contains(name);
      const json::value nothing;
      const bool same = info != nullptr &&
                        model::same_value(*info, mine->second.at(name), value == nullptr ? nothing : *value);
      exception.fields[name] = same ? text : std::optional<std::string>();
    }
  }
  return out;
}

/// Its place in the series, counted from 1, deleted ones too; nullopt: the pattern does not give that day.
std::optional<int> index_of(const time::Series& series, model::OccurrenceId id) {
  const time::local_days day = time::days_of(id.original_date);
  const auto days = time::expand(series.recurrence, {.max_occurrences = 10'000, .last_day = day});
  const auto place = std::lower_bound(days.days.begin(), days.days.end(), day);
  if (place == days.days.end() || *place != day) return std::nullopt;
  return static_cast<int>(place - days.days.begin()) + 1;
}

bool is_deleted_there(const Error& error) {
  return error.code == "ErrorCalendarOccurrenceIsDeletedFromRecurrence";
}
bool is_beyond(const Error& error) {
  return error.code == "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange";
}

/// The patch with both its times, which go together (invariant 13).
model::Fields whole_patch(const RecordSeries& ours, const model::ModifiedOccurrence& exception) {
  model::Fields patch = ours.patches.at(exception.id);
  if (!patch.contains("start") && !patch.contains("end")) return patch;
  const time::Series& series = ours.series;
  const json::value* all_day = patch.if_contains("isAllDayEvent");
  const bool dates = all_day != nullptr && all_day->is_bool() ? all_day->get_bool() : series.is_all_day;
  const auto text = [&](time::local_seconds clock) {
    return dates ? time::format_date(time::day_of(clock)) : time::format_utc(series.zone.to_utc(clock).utc);
  };
  patch["start"] = text(*exception.start);
  patch["end"] = text(*exception.end);
  return patch;
}

void add_remark(std::string& remark, std::string_view what) {
  remark.append(remark.empty() ? "" : "; ").append(what);
}

std::string day_text(model::OccurrenceId id) {
  return time::format_date(time::days_of(id.original_date));
}

/// The server's series with its exceptions.
Async<sync::RemoteItem> read_series(Write& write, std::string id) {
  std::vector<std::string> ids;
  ids.push_back(std::move(id));
  auto items = co_await read_items(write.state, model::RecordKind::appointment, std::move(ids), true);
  if (!items) co_return fail(std::move(items.error()));
  co_return std::move(items->front());
}

struct OccurrenceNow {
  ItemId item;
  bool is_written = false;
};

/// What `written` holds of an exception: an occurrence shows its master's own where it has none.
std::string exception_mark(const Write& write, int index) {
  return write.order.operation_id + "/" + std::to_string(index);
}

/// Errors of an occurrence that the server has not: as is_deleted_there, is_beyond.
Async<OccurrenceNow> look_at_occurrence(Write& write, std::string master, int index) {
  OccurrenceItemId id{.recurring_master_id = std::move(master), .instance_index = index};
  ItemShape shape{.additional = {written_mark()}};
  auto item = co_await look_at(write, std::move(id), std::move(shape));
  if (!item) co_return fail(std::move(item.error()));
  if (!*item || !(*item)->item_id) co_return fail(gone());
  OccurrenceNow now{
      .item = *(*item)->item_id,
      .is_written = value_of(**item, written_mark()) == std::string_view(exception_mark(write, index))};
  co_return now;
}

/// The occurrence's fields, and the mail about them, in one request.
Async<Nothing> write_occurrence(Write& write, const ItemId& master, int index, const model::Fields& patch,
                                const model::Fields& master_fields, bool mails) {
  constexpr unsigned attempts = 4;
  auto updates = to_occurrence_updates(patch, master_fields, write.state);
  if (!updates) co_return fail(std::move(updates.error()));
  updates->push_back(set_mark(ItemKind::calendar_item, written_mark(), exception_mark(write, index)));
  if (mails) updates->push_back(set_mark(ItemKind::calendar_item, mailed_mark(), write.order.operation_id));
  Error last;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    std::string id = master.id;
    auto now = co_await look_at_occurrence(write, std::move(id), index);
    if (!now) co_return fail(std::move(now.error()));
    if (now->is_written) co_return Nothing{};
    UpdateItemRequest request;
    request.changes.push_back({.id = std::move(now->item), .updates = *updates});
    request.send_meeting_invitations_or_cancellations =
        mails ? SendInvitationsOrCancellations::send_to_all_and_save_copy
              : SendInvitationsOrCancellations::send_to_none;
    std::string step = "exception";
    auto written = co_await once(write, std::move(step), std::move(request));
    if (written) co_return Nothing{};
    last = std::move(written.error());
    if (!is_stale_key(last)) break;
  }
  co_return fail(std::move(last).during("writing an exception of a series"));
}

Async<Nothing> delete_occurrence(Write& write, const ItemId& master, int index, bool mails) {
  std::string id = master.id;
  auto now = co_await look_at_occurrence(write, std::move(id), index);
  if (!now) {
    if (is_deleted_there(now.error())) co_return Nothing{};
    co_return fail(std::move(now.error()));
  }
  DeleteItemRequest request;
  request.ids.emplace_back(std::move(now->item));
  request.send_meeting_cancellations =
      mails ? SendInvitations::send_to_all_and_save_copy : SendInvitations::send_to_none;
  std::string step = "exception";
  auto deleted = co_await once(write, std::move(step), std::move(request));
  if (!deleted && !is_missing(deleted.error()) && !is_deleted_there(deleted.error()))
    co_return fail(std::move(deleted.error()).during("deleting an occurrence of a series"));
  co_return Nothing{};
}

/// Two years from the first occurrence: what a calendar view may show at once.
bool are_equal(const time::Series& a, const time::Series& b) {
  const time::local_days from = time::days_of(a.recurrence.range.start);
  return time::same_occurrences(a, b, from, from + std::chrono::days{2 * 366});
}

}  // namespace

bool has_exception_work(const sync::WriteOrder& order) {
  if (order.kind != model::RecordKind::appointment) return false;
  const model::Fields all = merged(order.base, order.fields);
  if (says_nothing(all.if_contains("recurrence"))) return false;
  if (order.what == sync::WriteOrder::What::update &&
      (order.fields.contains("modifiedOccurrences") || order.fields.contains("deletedOccurrences")))
    return true;
  if (order.what == sync::WriteOrder::What::update && !changes_series(order.fields)) return false;
  return !says_nothing(all.if_contains("modifiedOccurrences")) ||
         !says_nothing(all.if_contains("deletedOccurrences"));
}

Async<ItemId> write_exceptions(Write& write, ItemId master, std::string& remark) {
  if (write.journal.is_open("exception")) {
    if (auto may = may_settle(write); !may) co_return fail(std::move(may.error()));
  }
  std::string id = master.id;
  auto there = co_await read_series(write, std::move(id));
  if (!there) co_return fail(std::move(there.error()));
  if (there->is_private) {
    add_remark(remark, "exceptions of a private series are not written");
    co_return ItemId{.id = master.id, .change_key = there->ref.version};
  }
  // What the order does not speak of is the server's.
  const model::Fields base = merged(there->fields, write.order.base);
  auto ours = series_of(merged(base, write.order.fields), write.state);
  if (!ours) co_return fail(std::move(ours.error()));
  auto theirs = series_of(there->fields, write.state);
  if (!theirs) {
    add_remark(remark, "the server's series cannot be compared with the record's");
    co_return ItemId{.id = master.id, .change_key = there->ref.version};
  }
  const bool mails = write.order.mail_attendees && there->is_organizer && has_attendees(there->fields);
  const time::MissingExceptions missing =
      time::missing_exceptions(ours->series, in_our_words(*ours, *theirs, there->fields));
  write.journal.set_fact("id", master.id);
  write.journal.set_fact("key", there->ref.version);
  for (const model::ModifiedOccurrence& exception : missing.modified) {
    const auto index = index_of(theirs->series, exception.id);
    if (!index) {
      add_remark(remark, "the pattern has no " + day_text(exception.id) + " any more, its exception is lost");
      continue;
    }
    const model::Fields patch = whole_patch(*ours, exception);
    auto written = co_await write_occurrence(write, master, *index, patch, there->fields, mails);
    if (!written && (is_deleted_there(written.error()) || is_beyond(written.error()))) {
      add_remark(remark, "the server has no occurrence of " + day_text(exception.id));
      continue;
    }
    if (!written) co_return fail(std::move(written.error()));
  }
  for (const model::DeletedOccurrence& exception : missing.deleted) {
    const auto index = index_of(theirs->series, exception.id);
    if (!index) continue;
    auto deleted = co_await delete_occurrence(write, master, *index, mails);
    if (!deleted && !is_beyond(deleted.error())) co_return fail(std::move(deleted.error()));
  }
  write.journal.close();
  if (!missing.empty()) {
    std::string again = master.id;
    there = co_await read_series(write, std::move(again));
    if (!there) co_return fail(uncertain(write, there.error()));
    theirs = series_of(there->fields, write.state);
  }
  if (!theirs || !are_equal(ours->series, theirs->series))
    add_remark(remark, "the series on the server and the record's give different occurrences");
  co_return ItemId{.id = master.id, .change_key = there->ref.version};
}

}  // namespace syncline::ews
