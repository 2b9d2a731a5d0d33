// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/driver/read_items.hpp"

#include <boost/json/array.hpp>
#include <utility>

#include "ews/driver/field_row.hpp"
#include "ews/driver/from_item.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::ews {
namespace {

namespace json = boost::json;
using model::RecordKind;
using RemoteItems = std::vector<Result<sync::RemoteItem>>;

/// An exception of a series that is still to be read.
struct Exception {
  std::size_t master = 0;  ///< position in the results
  Occurrence occurrence;
};

/// What differs where the exception itself cannot be read: its times, as its master lists them.
model::Fields times_only(const sync::RemoteItem& master, const Occurrence& occurrence,
                         const ItemContext& context) {
  model::Fields times;
  if (MappedValue start = time_or_date_of(occurrence.start, context))
    times.emplace("start", std::move(*start));
  if (MappedValue end = time_or_date_of(occurrence.end, context)) times.emplace("end", std::move(*end));
  MappedValue original = time_or_date_of(occurrence.original_start, context);
  return modified_occurrence(master.fields, std::move(times),
                             original ? std::move(*original) : json::value());
}

Async<Nothing> read_exceptions(DriverState& state, std::vector<Exception> exceptions,
                               const std::vector<time::Zone>& zones, RemoteItems& results) {
  std::vector<ItemRef> ids;
  ids.reserve(exceptions.size());
  for (const Exception& exception : exceptions)
    ids.emplace_back(ItemId{.id = exception.occurrence.item_id.id});
  ItemShape shape = shape_of(RecordKind::appointment, true);
  auto items = co_await state.reader.get(std::move(ids), std::move(shape));
  if (!items) co_return fail(std::move(items.error()));

  for (std::size_t i = 0; i < exceptions.size(); ++i) {
    Result<sync::RemoteItem>& master = results[exceptions[i].master];
    if (!master) continue;
    const json::value* all_day = master->fields.if_contains("isAllDayEvent");
    const ItemContext context{.zone = zones[exceptions[i].master],
                              .is_all_day = all_day != nullptr && *all_day == json::value(true)};
    json::value& list = master->fields["modifiedOccurrences"];
    if (!list.is_array()) list = json::array();
    Result<Item>& item = (*items)[i];
    if (!item) {
      Error error = as_gone(std::move(item.error()));
      if (error.code == "gone") {
        // Taken back between the two reads: the feed brings the master again.
        list.get_array().push_back(times_only(*master, exceptions[i].occurrence, context));
      } else {
        // Without one of its exceptions a series must not pass for known.
        master = fail(std::move(error).during("reading an exception of the series"));
      }
      continue;
    }
    MappedValue original = time_or_date_of(exceptions[i].occurrence.original_start, context);
    if (!original || !original->is_string()) continue;
    sync::RemoteItem exception = from_item(RecordKind::appointment, *item, state);
    list.get_array().push_back(
        modified_occurrence(master->fields, std::move(exception.fields), std::move(*original)));
  }
  co_return Nothing{};
}

}  // namespace

Error as_gone(Error error) {
  if (error.domain == ErrorDomain::ews &&
      (error.code == "ErrorItemNotFound" || error.code == "ErrorMessageNotFound")) {
    error.code = "gone";
    error.retry = RetryClass::never;
  }
  return error;
}

Async<RemoteItems> read_items(DriverState& state, RecordKind kind, std::vector<std::string> ids,
                              bool with_body) {
  RemoteItems results;
  if (ids.empty()) co_return results;
  std::vector<ItemRef> refs;
  refs.reserve(ids.size());
  for (const std::string& id : ids) refs.emplace_back(ItemId{.id = id});
  ItemShape shape = shape_of(kind, with_body);
  auto items = co_await state.reader.get(std::move(refs), std::move(shape));
  if (!items) co_return fail(std::move(items.error()));

  results.reserve(items->size());
  std::vector<Exception> exceptions;
  std::vector<time::Zone> zones;  // of appointments: their own
  for (std::size_t i = 0; i < items->size(); ++i) {
    Result<Item>& item = (*items)[i];
    if (kind == RecordKind::appointment) zones.push_back(item ? zone_of_days(*item, state) : state.zone);
    if (!item) {
      results.emplace_back(fail(as_gone(std::move(item.error()))));
      continue;
    }
    results.emplace_back(from_item(kind, *item, state, with_body));
    sync::RemoteItem& made = *results.back();
    if (made.ref.id.empty()) made.ref.id = std::move(ids[i]);
    if (made.is_private) {
      made.fields.clear();
      continue;
    }
    if (kind != RecordKind::appointment || !item->calendar) continue;
    std::vector<Occurrence>& modified = item->calendar->modified_occurrences;
    if (modified.size() > model::field_elements_limit) {
      results.back() =
          fail(ErrorDomain::ews, "too-large",
               "the series has " + std::to_string(modified.size()) + " exceptions", RetryClass::quarantine);
      continue;
    }
    for (Occurrence& occurrence : modified)
      exceptions.push_back({.master = i, .occurrence = std::move(occurrence)});
  }
  if (!exceptions.empty()) {
    auto read = co_await read_exceptions(state, std::move(exceptions), zones, results);
    if (!read) co_return fail(std::move(read.error()));
  }
  co_return results;
}

}  // namespace syncline::ews
