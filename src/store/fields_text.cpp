// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/fields_text.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serializer.hpp>

namespace syncline::store {
namespace {

namespace json = boost::json;

/// Bounded by `levels`: what is deeper could not be read back.
bool fits(const json::value& value, int levels) {
  if (value.is_object()) {
    if (levels == 0) return false;
    for (const auto& member : value.get_object())
      if (!fits(member.value(), levels - 1)) return false;
  } else if (value.is_array()) {
    if (levels == 0) return false;
    for (const json::value& element : value.get_array())
      if (!fits(element, levels - 1)) return false;
  }
  return true;
}

}  // namespace

Result<void> fields_to_text(const model::Fields& fields, std::string& out) {
  for (const auto& member : fields)
    if (!fits(member.value(), fields_limit_depth - 1))
      return fail(ErrorDomain::local, "too-deep",
                  "field " + std::string(member.key()) + " is nested too deep");
  out.clear();
  json::serializer serializer;
  serializer.reset(&fields);
  std::array<char, 8192> piece;
  while (!serializer.done()) {
    out.append(serializer.read(piece.data(), piece.size()));
    if (out.size() > fields_limit_octets)
      return fail(ErrorDomain::local, "too-large", "the fields are too large");
  }
  return {};
}

Result<model::Fields> fields_from_text(std::string_view text) {
  json::parse_options options;
  options.max_depth = fields_limit_depth;
  // Written by us from values that were already in memory: what they hold is to come back as it was.
  options.allow_invalid_utf8 = true;
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object())
    return fail(ErrorDomain::local, "store-damaged", "a row of the store holds what is no JSON object");
  return std::move(value.get_object());
}

}  // namespace syncline::store
