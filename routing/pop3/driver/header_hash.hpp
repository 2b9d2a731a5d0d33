// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A message's identity where the server's own cannot be relied on: a hash of its header, the same from
// TOP and from RETR, today and tomorrow.
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::pop3 {

/// Takes the message in any pieces; what is behind the header is passed over.
class HeaderHasher {
 public:
  void feed(std::string_view octets);
  /// 11 characters (66 bits) of base64url. Fields that servers change or add are not in it: Status, X-Status,
  /// X-UIDL, X-Keywords, X-UID, X-IMAPbase, Content-Length.
  std::string finish();

 private:
  std::string header_;
  bool ended_ = false;
};

inline constexpr std::size_t header_hash_characters = 11;

/// 8 characters (48 bits) of what a listing says of a message.
std::string listing_hash(std::string_view uid, std::uint64_t octets);

}  // namespace syncline::pop3
