// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/json_values.hpp"

#include <boost/json/parse.hpp>

#include "time/civil.hpp"

namespace syncline::service {

namespace json = boost::json;

std::string json_time(SystemTime time) {
  return time::format_utc(std::chrono::floor<std::chrono::seconds>(time));
}

json::value text_or_null(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

json::value parsed_or_null(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return nullptr;
  return value;
}

json::value parsed_or_text(std::string_view text) {
  if (text.empty()) return nullptr;
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return json::value(text);
  return value;
}

}  // namespace syncline::service
