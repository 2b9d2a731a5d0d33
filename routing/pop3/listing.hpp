// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Lines of LIST and UIDL (RFC 1939 sections 5 and 7).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::pop3 {

struct ListedSize {
  std::uint32_t number = 0;  ///< of this session only
  std::uint64_t octets = 0;  ///< as the server says; not to be relied on
};

struct ListedUid {
  std::uint32_t number = 0;
  std::string uid = {};
};

/// nullopt: the line is none. What stands behind the size is passed over (the RFC allows it).
std::optional<ListedSize> parse_list_line(std::string_view line);
/// A unique-id has 1 to 70 printable characters; up to 500 are taken.
std::optional<ListedUid> parse_uidl_line(std::string_view line);

}  // namespace syncline::pop3
