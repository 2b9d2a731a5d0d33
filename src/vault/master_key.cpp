// SPDX-License-Identifier: GPL-3.0-or-later
#include "vault/master_key.hpp"

#include <openssl/evp.h>

#include <array>
#include <span>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "vault/aead.hpp"

namespace syncline::vault {
namespace {

std::uint32_t number_of(std::string_view octets) {
  std::string labelled = "syncline master key number\n";
  labelled.append(octets);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const int done =
      EVP_Digest(labelled.data(), labelled.size(), digest.data(), &length, EVP_sha256(), nullptr);
  wipe(labelled);
  if (done != 1) return 0;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8U | digest[i];
  return number;
}

unexpected<Error> bad_key(std::string why) {
  return fail(ErrorDomain::local, "bad-key", "The key is not usable: " + std::move(why));
}

}  // namespace

MasterKey::MasterKey(Secret octets) : octets_(std::move(octets)), number_(number_of(octets_.reveal())) {}

MasterKey MasterKey::generate(Random& random) {
  std::string octets(key_octets, '\0');
  random.fill(std::as_writable_bytes(std::span(octets)));
  return MasterKey(Secret(std::move(octets)));
}

Result<MasterKey> MasterKey::from_octets(Secret octets) {
  if (octets.reveal().size() != key_octets) return bad_key("it has not 32 octets");
  return MasterKey(std::move(octets));
}

const MasterKey* MasterKeys::find(std::uint32_t number) const noexcept {
  if (current.number() == number) return &current;
  if (previous && previous->number() == number) return &*previous;
  return nullptr;
}

Result<MasterKeys> parse_master_keys(const Secret& text) {
  std::optional<MasterKeys> keys;
  for (const std::string_view raw : text::split(text.reveal(), '\n')) {
    const std::string_view line = text::trim(raw);
    if (line.empty() || line.front() == '#') continue;
    if (keys && keys->previous) return bad_key("there are more than two");
    Result<std::string> octets = base64_decode(line);
    if (!octets) return bad_key("it is not base64");
    Result<MasterKey> key = MasterKey::from_octets(Secret(std::move(*octets)));
    if (!key) return fail(std::move(key.error()));
    if (keys) {
      keys->previous = std::move(*key);
    } else {
      keys.emplace(MasterKeys{std::move(*key)});
    }
  }
  if (!keys) return bad_key("the file is empty");
  return std::move(*keys);
}

Secret print_master_keys(const MasterKeys& keys) {
  std::string text;
  text.reserve(128);
  const auto add = [&](const MasterKey& key) {
    std::string line = base64_encode(key.octets().reveal());
    text.append(line).push_back('\n');
    wipe(line);
  };
  add(keys.current);
  if (keys.previous) add(*keys.previous);
  return Secret(std::move(text));
}

}  // namespace syncline::vault
