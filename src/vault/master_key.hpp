// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The master key: 32 random octets that never touch the database. While it is being changed there are two.
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace syncline::vault {

/// A key and the number it is known by: the first 32 bits of a hash of it, so that a wrong key is told from a
/// changed value without anything stored beside.
class MasterKey {
 public:
  static MasterKey generate(Random& random);
  /// Exactly 32 octets. Error (domain local): "bad-key".
  static Result<MasterKey> from_octets(Secret octets);

  const Secret& octets() const noexcept { return octets_; }
  std::uint32_t number() const noexcept { return number_; }

 private:
  explicit MasterKey(Secret octets);
  Secret octets_;
  std::uint32_t number_ = 0;
};

/// What a key file holds: the key in force and, in the middle of a rotation, the one before.
struct MasterKeys {
  MasterKey current;
  std::optional<MasterKey> previous = std::nullopt;

  /// nullptr: neither has that number.
  const MasterKey* find(std::uint32_t number) const noexcept;
};

/// One key a line in base64, at most two; blank lines and lines that begin with # do not count. Error (domain
/// local): "bad-key".
Result<MasterKeys> parse_master_keys(const Secret& text);
Secret print_master_keys(const MasterKeys& keys);

}  // namespace syncline::vault
