// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/fields_text.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

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

/// Whether any of eight octets is to be escaped (RFC 8259 section 7); said of too many rather than of too
/// few.
bool any_to_escape(std::uint64_t octets) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x; };
  return ((has_zero(octets ^ (ones * '"')) | has_zero(octets ^ (ones * '\\')) |
           ((octets - ones * 0x20) & ~octets)) &
          high_bits) != 0;
}

bool is_to_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void write_escaped(char c, std::string& out) {
  out += '\\';
  switch (c) {
    case '\b':
      out += 'b';
      return;
    case '\f':
      out += 'f';
      return;
    case '\n':
      out += 'n';
      return;
    case '\r':
      out += 'r';
      return;
    case '\t':
      out += 't';
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) >= 0x20) {
    out += c;
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += "u00";
  out += digits[static_cast<unsigned char>(c) >> 4];
  out += digits[static_cast<unsigned char>(c) & 0x0F];
}

/// Most of what is stored are bodies: Boost.JSON writes them octet by octet, at four times the cost.
void write_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t written = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if (!any_to_escape(eight)) {
        at += sizeof eight;
        continue;
      }
    }
    const std::size_t end = std::min(text.size(), at + sizeof eight);
    for (; at < end; ++at) {
      if (!is_to_escape(text[at])) continue;
      out.append(text.substr(written, at - written));
      write_escaped(text[at], out);
      written = at + 1;
    }
  }
  out.append(text.substr(written));
  out += '"';
}

void write_object(const json::object& object, std::string& out);

template <class Integer>
void write_integer(Integer value, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

/// Of values that fit.
void write_value(const json::value& value, std::string& out) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64:
      return write_integer(value.get_int64(), out);
    case json::kind::uint64:
      return write_integer(value.get_uint64(), out);
    case json::kind::double_:
      out += json::serialize(value);
      return;
    case json::kind::string:
      return write_string(value.get_string(), out);
    case json::kind::array: {
      char before = '[';
      for (const json::value& element : value.get_array()) {
        out += before;
        write_value(element, out);
        before = ',';
      }
      if (before == '[') out += before;
      out += ']';
      return;
    }
    case json::kind::object:
      return write_object(value.get_object(), out);
  }
}

void write_object(const json::object& object, std::string& out) {
  char before = '{';
  for (const auto& member : object) {
    out += before;
    write_string(member.key(), out);
    out += ':';
    write_value(member.value(), out);
    before = ',';
  }
  if (before == '{') out += before;
  out += '}';
}

}  // namespace

Result<void> fields_to_text(const model::Fields& fields, std::string& out) {
  for (const auto& member : fields)
    if (!fits(member.value(), fields_limit_depth - 1))
      return fail(ErrorDomain::local, "too-deep",
                  "field " + std::string(member.key()) + " is nested too deep");
  out.clear();
  write_object(fields, out);
  if (out.size() > fields_limit_octets)
    return fail(ErrorDomain::local, "too-large", "the fields are too large");
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
