// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// From an item as Exchange says it to a record's fields (docs/records.md), canonical as model::canonical
// makes them. What was asked for and not answered is null: known to be empty. One file for each kind.
#include <boost/json/value.hpp>
#include <optional>

#include "ews/driver/driver_state.hpp"
#include "ews/types/item.hpp"
#include "ews/types/requests.hpp"
#include "model/record.hpp"
#include "model/recurrence.hpp"
#include "model/time_zone.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

/// What is asked of the server so that from_item() finds all it maps.
ItemShape shape_of(model::RecordKind kind, bool with_body);

/// The item as a driver gives it: ref, marks and fields; an item of a class that no record of the kind can
/// hold is opaque and has no fields. Of a series' master without `modifiedOccurrences`: those are items of
/// their own (modified_occurrence()). A contact's photo is {"attachmentId","size","contentType"}. The item
/// was read with shape_of(kind, with_body).
sync::RemoteItem from_item(model::RecordKind kind, const Item& item, const DriverState& state,
                           bool with_body = true);

/// An exception of a series as a patch over its master's fields: originalStart and what differs.
/// Both were mapped by from_item; `original_start` as the master's list of exceptions says it.
model::Fields modified_occurrence(const model::Fields& master, model::Fields&& exception,
                                  boost::json::value original_start);

/// The zone whose days an all-day item counts: its own, or the mailbox's.
time::Zone zone_of_days(const Item& item, const DriverState& state);

/// nullopt for a pattern or range that we do not know.
std::optional<model::Recurrence> recurrence_of(const Recurrence& recurrence);
model::TimeZoneDefinition zone_definition_of(const TimeZoneDefinition& definition);

}  // namespace syncline::ews
