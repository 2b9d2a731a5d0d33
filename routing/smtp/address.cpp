// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/address.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace syncline::smtp {
namespace {

constexpr std::size_t most_local_octets = 64;
constexpr std::size_t most_domain_octets = 255;

bool is_alnum(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_high(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x80;
}

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_atext(char c) noexcept {
  return is_alnum(c) || is_high(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

/// Addresses in use have dots in a row and at the end (DoCoMo), against the RFC: they are let through.
bool is_local_part(std::string_view local) noexcept {
  if (local.empty()) return false;
  if (local.front() != '"')
    return std::all_of(local.begin(), local.end(), [](char c) { return c == '.' || is_atext(c); });
  if (local.size() < 2 || local.back() != '"') return false;
  bool escaped = false;
  for (const char c : local.substr(1, local.size() - 2)) {
    if (is_control(c) || (c == '"' && !escaped)) return false;
    escaped = c == '\\' && !escaped;
  }
  return !escaped;
}

bool is_domain(std::string_view domain) noexcept {
  if (domain.empty()) return false;
  if (domain.front() == '[') {
    return domain.size() > 2 && domain.back() == ']' &&
           std::all_of(domain.begin() + 1, domain.end() - 1,
                       [](char c) { return is_alnum(c) || c == '.' || c == ':' || c == '-'; });
  }
  for (const std::string_view label : text::split(domain, '.')) {
    if (label.empty() || label.size() > 63) return false;
    // '_' is in names that resolve.
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alnum(c) || is_high(c) || c == '-' || c == '_'; }))
      return false;
  }
  return true;
}

unexpected<Error> bad_address(std::string_view address, const std::string& why) {
  return fail(
      ErrorDomain::input, "bad-address",
      "\"" + text::escape_for_display(address.substr(0, 320)) + "\" is no address to send to: " + why);
}

}  // namespace

bool is_ascii(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), is_high);
}

Result<void> check_address(std::string_view address, bool smtputf8) {
  if (std::any_of(address.begin(), address.end(), is_control))
    return bad_address(address, "it has control characters in it");
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return bad_address(address, "it has no \"@\"");
  const std::string_view local = address.substr(0, at);
  const std::string_view domain = address.substr(at + 1);
  if (local.size() > most_local_octets) return bad_address(address, "what stands before \"@\" is too long");
  if (domain.size() > most_domain_octets) return bad_address(address, "its domain is too long");
  if (!is_local_part(local))
    return bad_address(address, "what stands before \"@\" has characters that do not belong there");
  if (!is_domain(domain)) return bad_address(address, "its domain is none");
  if (is_ascii(address)) return {};
  if (!text::is_valid_utf8(address)) return bad_address(address, "it is not UTF-8");
  if (!smtputf8)
    return fail(ErrorDomain::input, "needs-smtputf8",
                "\"" + std::string(address) +
                    "\" has other characters than ASCII, which the server does not take (no SMTPUTF8)");
  return {};
}

std::string xtext(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string made;
  made.reserve(text.size());
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > 0x20 && octet < 0x7f && c != '+' && c != '=') {
      made += c;
    } else {
      made += '+';
      made += digits[octet >> 4];
      made += digits[octet & 15];
    }
  }
  return made;
}

std::string client_name(std::string_view wanted) {
  const bool good = wanted.size() <= most_domain_octets && is_ascii(wanted) && is_domain(wanted);
  return good ? std::string(wanted) : "[127.0.0.1]";
}

}  // namespace syncline::smtp
