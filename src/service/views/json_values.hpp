// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Values as all of our JSON writes them.
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace syncline::service {

/// RFC 3339 in UTC, whole seconds.
std::string json_time(SystemTime time);
/// null for an empty text.
boost::json::value text_or_null(std::string_view text);
/// JSON that was stored as text; null if it is none.
boost::json::value parsed_or_null(std::string_view text);
/// The same; what is no JSON stays a text, an empty one is null.
boost::json::value parsed_or_text(std::string_view text);

}  // namespace syncline::service
