// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Long texts that are only looked for by equality stand in indices as numbers: an index of them is a tenth as
// large, and that is what a first synchronisation writes to at random places.
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::store {

/// The first eight octets of the text's SHA-256. Nobody can make a text with the key of a given other one,
/// and among millions of texts two with one key are not to be expected.
std::int64_t lookup_key(std::string_view text);

/// What an e-mail without a Message-ID is looked for by, in the place of one: the SHA-256 of its octets as
/// received, lower-case hexadecimal. No Message-ID looks like this.
std::string octets_id(std::string_view sha256);

}  // namespace syncline::store
