// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// AES-256-GCM (NIST SP 800-38D) in the one layout that is stored: version octet, key number (4 octets,
// big-endian), nonce (12, fresh and random for every call), ciphertext, tag (16).
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace syncline::vault {

inline constexpr std::size_t key_octets = 32;
inline constexpr std::size_t nonce_octets = 12;
inline constexpr std::size_t tag_octets = 16;
inline constexpr std::size_t header_octets = 1 + 4 + nonce_octets;
inline constexpr unsigned char sealed_version = 1;
/// Passwords, tokens, certificates with their keys: nothing we seal is larger.
inline constexpr std::size_t secret_limit_octets = std::size_t{1} << 20;

/// Which key opens `sealed`. Errors (domain local): "bad-sealed" for what is no sealed value, "newer-sealed"
/// for a version that a later program wrote.
Result<std::uint32_t> key_number_of(std::string_view sealed);

/// `key` has `key_octets`. Errors (domain local): "too-large", "crypto".
Result<std::string> seal(const Secret& key, std::uint32_t key_number, std::string_view associated,
                         std::string_view plain, Random& random);

/// Errors as key_number_of, and "not-authentic": another key, other associated data, or changed octets. Which
/// of them cannot be told.
Result<Secret> open(const Secret& key, std::string_view associated, std::string_view sealed);

}  // namespace syncline::vault
