// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A zone definition as text: JSON in EWS's names in lower camel case, and EWS's XML.
#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "model/time_zone.hpp"

namespace syncline::time {

/// {"id","name","periods":[{"id","name","bias"}],"transitionsGroups":[{"id","transitions":[…]}],"transitions":[…]};
/// a transition has "type" (transition, absoluteDateTransition, recurringDayTransition,
/// recurringDateTransition) and "to":{"kind","id"}.
boost::json::object zone_to_json(const model::TimeZoneDefinition& definition);

/// `<t:StartTimeZone Id="…" Name="…">…</t:StartTimeZone>` with the prefix `t` undeclared, as within a
/// message.
std::string zone_to_xml(const model::TimeZoneDefinition& definition, std::string_view element);

}  // namespace syncline::time
