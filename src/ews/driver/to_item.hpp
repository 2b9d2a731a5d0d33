// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From a record's fields (docs/records.md) to what Exchange is told: a whole item for CreateItem, a list of
// changes for UpdateItem. Fields that Exchange keeps itself (uid, organizer, dateTimeReceived, …) and those
// that have requests of their own (attachments, photo, exceptions of a series) are passed over. Errors
// (domain input): "bad-value" with the field's name; "unknown-zone".
#include <optional>
#include <vector>

#include "ews/driver/driver_state.hpp"
#include "ews/types/item.hpp"
#include "ews/types/requests.hpp"
#include "model/record.hpp"
#include "model/time_zone.hpp"

namespace syncline::ews {

ItemKind item_kind_of(model::RecordKind kind) noexcept;

/// A new item. What must be there and is not said gets a sensible value: a zone, a name to file under.
Result<Item> to_item(model::RecordKind kind, const model::Fields& fields, const DriverState& state);

struct ItemUpdates {
  std::vector<ItemUpdate> changes = {};
  /// Attendees that go. Those that mail have to stand in the request that mails, or nobody tells them that
  /// the meeting is off.
  std::vector<ItemUpdate> attendees_removed = {};
};

/// What brings an item that holds `base` to hold `fields`: null is cleared, absent stays. Of a dictionary the
/// entries that are named are changed, null clears one; attendees are compared as sets, new ones appended;
/// times go together with both zones (invariants 11, 13).
Result<ItemUpdates> to_updates(model::RecordKind kind, const model::Fields& fields, const model::Fields& base,
                               const DriverState& state);

/// One occurrence of a series: `patch` as in modifiedOccurrences, over the fields of its master.
Result<std::vector<ItemUpdate>> to_occurrence_updates(const model::Fields& patch, const model::Fields& master,
                                                      const DriverState& state);

/// Whether `fields` say anything of start, end, all-day or zones.
bool touches_times(const model::Fields& fields);

/// Whether a change of `fields` touches a series' pattern, times or zone, after which Exchange forgets the
/// exceptions (invariant 12).
bool changes_series(const model::Fields& fields);

/// A zone as the record says it; as it came from the server where it did. Rules, where its name is not
/// enough, are right from the beginning of `from_year` on. Error "unknown-zone".
Result<TimeZoneDefinition> to_zone(const model::FieldValue& zone, int from_year);
/// What converts times of such a zone.
Result<time::Zone> zone_of(const model::FieldValue& zone);
/// {"id","definition"} as time::zone_to_json writes definitions; nullopt without a definition.
std::optional<model::TimeZoneDefinition> definition_of(const model::FieldValue& zone);

/// `fields` over `base`.
model::Fields merged(const model::Fields& base, const model::Fields& fields);
/// The text of a member; empty where there is none.
inline std::string text_at(const model::Fields& object, std::string_view name) {
  return std::string(model::text_of(object, name));
}
/// null, "", an empty set or dictionary.
bool says_nothing(const model::FieldValue* value);

}  // namespace syncline::ews
