// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/driver/header_hash.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace syncline::pop3 {
namespace {

/// Longer headers are told apart by their beginnings.
constexpr std::size_t most_header_octets = 64 * 1024;

std::string short_hash(std::string_view octets, std::size_t characters) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), hash.data());
  const std::string_view some(reinterpret_cast<const char*>(hash.data()), 9);
  return base64url_encode(some).substr(0, characters);
}

bool is_volatile(std::string_view name) {
  constexpr std::string_view names[] = {"status", "x-status",   "x-uidl",        "x-keywords",
                                        "x-uid",  "x-imapbase", "content-length"};
  const std::string lower = text::to_lower_ascii(text::trim(name));
  return std::find(std::begin(names), std::end(names), lower) != std::end(names);
}

}  // namespace

void HeaderHasher::feed(std::string_view octets) {
  if (ended_) return;
  const std::size_t before = header_.size();
  header_.append(octets.substr(0, most_header_octets - before));
  if (header_.starts_with('\n') || header_.starts_with("\r\n")) {
    header_.clear();
    ended_ = true;
    return;
  }
  // The empty line may be cut anywhere: look a little behind.
  const std::size_t from = before < 3 ? 0 : before - 3;
  for (std::size_t lf = header_.find('\n', from); lf != std::string::npos; lf = header_.find('\n', lf + 1)) {
    const bool crlf = header_.compare(lf + 1, 2, "\r\n") == 0;
    if (!crlf && header_.compare(lf + 1, 1, "\n") != 0) continue;
    header_.resize(lf + 1);
    ended_ = true;
    return;
  }
  if (header_.size() == most_header_octets) ended_ = true;
}

std::string HeaderHasher::finish() {
  std::string stable;
  stable.reserve(header_.size());
  bool keeps = true;
  for (std::string_view line : text::split(header_, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const bool goes_on = line.front() == ' ' || line.front() == '\t';
    if (!goes_on) keeps = !is_volatile(line.substr(0, line.find(':')));
    if (keeps) stable.append(line).append("\n");
  }
  return short_hash(stable, header_hash_characters);
}

std::string listing_hash(std::string_view uid, std::uint64_t octets) {
  return short_hash(std::to_string(octets) + " " + std::string(uid), 8);
}

}  // namespace syncline::pop3
