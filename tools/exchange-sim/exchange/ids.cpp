// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/ids.hpp"

#include "base/base64.hpp"

namespace exchange_sim {
namespace {

// Real ids are about 150 characters long and begin alike.
constexpr std::string_view kItemPrefix("\x00\x03\x24", 3);
constexpr std::string_view kKeyPrefix("\x09\x00\x00\x00\x16\x00\x00\x00", 8);
constexpr std::string_view kFolderKeyPrefix("\x01\x00\x00\x00\x16\x00\x00\x00", 8);
constexpr std::string_view kStatePrefix("SS\x02", 3);
constexpr std::size_t kPathLimit = 64;

void put(std::string& out, std::uint64_t value, int octets) {
  for (int i = 0; i < octets; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

class Taker {
 public:
  explicit Taker(std::string_view text) : rest_(text) {}
  std::uint64_t number(int octets) {
    if (rest_.size() < static_cast<std::size_t>(octets)) {
      ok_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    for (int i = 0; i < octets; ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]))
               << (8 * i);
    rest_.remove_prefix(static_cast<std::size_t>(octets));
    return value;
  }
  MailboxGuid guid() {
    MailboxGuid guid{};
    for (unsigned char& c : guid) c = static_cast<unsigned char>(number(1));
    return guid;
  }
  bool done() const { return ok_ && rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// FNV-1a, folded: against damage, not against forgers.
std::uint32_t checksum(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::string seal(std::string block) {
  put(block, checksum(block), 4);
  return syncline::base64_encode(block);
}

std::optional<std::string> unseal(std::string_view text, std::string_view prefix) {
  if (text.size() > 2048) return std::nullopt;
  auto block = syncline::base64_decode(text);
  if (!block || block->size() < prefix.size() + 4 || !block->starts_with(prefix)) return std::nullopt;
  const std::string_view body = std::string_view(*block).substr(0, block->size() - 4);
  Taker sum(std::string_view(*block).substr(body.size()));
  if (sum.number(4) != checksum(body)) return std::nullopt;
  return std::string(body.substr(prefix.size()));
}

}  // namespace

std::string encode_id(const DecodedId& id) {
  std::string block(kItemPrefix);
  block.append(reinterpret_cast<const char*>(id.mailbox.data()), id.mailbox.size());
  block += static_cast<char>(id.type);
  block.append(27, '\0');
  put(block, id.number, 4);
  put(block, static_cast<std::uint64_t>(id.original_day), 8);
  put(block, id.path.size(), 1);
  for (const std::uint32_t serial : id.path) put(block, serial, 4);
  return seal(std::move(block));
}

std::optional<DecodedId> decode_id(std::string_view text) {
  const auto block = unseal(text, kItemPrefix);
  if (!block) return std::nullopt;
  Taker take(*block);
  DecodedId id;
  id.mailbox = take.guid();
  const auto type = take.number(1);
  if (type < 1 || type > 4) return std::nullopt;
  id.type = static_cast<IdType>(type);
  for (int i = 0; i < 27; ++i) take.number(1);
  id.number = static_cast<std::uint32_t>(take.number(4));
  id.original_day = static_cast<Day>(take.number(8));
  const auto length = take.number(1);
  if (length > kPathLimit) return std::nullopt;
  for (std::uint64_t i = 0; i < length && take.ok(); ++i)
    id.path.push_back(static_cast<std::uint32_t>(take.number(4)));
  if (!take.done() || (id.type == IdType::attachment) == id.path.empty()) return std::nullopt;
  return id;
}

std::string encode_change_key(std::uint64_t version, bool folder) {
  std::string block(folder ? kFolderKeyPrefix : kKeyPrefix);
  put(block, version, 8);
  put(block, checksum(block), 4);
  return syncline::base64_encode(block);
}

std::optional<std::uint64_t> decode_change_key(std::string_view text) {
  auto block = unseal(text, kKeyPrefix);
  if (!block) block = unseal(text, kFolderKeyPrefix);
  if (!block) return std::nullopt;
  Taker take(*block);
  const std::uint64_t version = take.number(8);
  return take.done() ? std::optional(version) : std::nullopt;
}

std::string encode_sync_state(const SyncState& state) {
  std::string block(kStatePrefix);
  block.append(reinterpret_cast<const char*>(state.mailbox.data()), state.mailbox.size());
  put(block, state.folder, 4);
  put(block, state.epoch, 4);
  put(block, state.from, 8);
  put(block, state.to, 8);
  put(block, state.cursor, 8);
  put(block, (state.in_round ? 1U : 0U) | (state.hierarchy ? 2U : 0U), 1);
  return seal(std::move(block));
}

std::optional<SyncState> decode_sync_state(std::string_view text) {
  const auto block = unseal(text, kStatePrefix);
  if (!block) return std::nullopt;
  Taker take(*block);
  SyncState state;
  state.mailbox = take.guid();
  state.folder = static_cast<std::uint32_t>(take.number(4));
  state.epoch = static_cast<std::uint32_t>(take.number(4));
  state.from = take.number(8);
  state.to = take.number(8);
  state.cursor = take.number(8);
  const auto flags = take.number(1);
  state.in_round = (flags & 1U) != 0;
  state.hierarchy = (flags & 2U) != 0;
  return take.done() ? std::optional(state) : std::nullopt;
}

}  // namespace exchange_sim
