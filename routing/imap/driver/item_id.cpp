// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/item_id.hpp"

#include "base/text.hpp"
#include "routing/imap/tokens.hpp"

namespace syncline::imap {
namespace {

/// What stands before the next dot; nullopt: there is none.
std::optional<std::string_view> take_part(std::string_view& text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, dot);
  text.remove_prefix(dot + 1);
  return part;
}

}  // namespace

std::string ItemId::text() const {
  return std::to_string(uid) + "." + std::to_string(uid_validity) + "." + folder;
}

std::optional<ItemId> ItemId::parse(std::string_view text) {
  const auto uid_text = take_part(text);
  const auto validity_text = uid_text ? take_part(text) : std::nullopt;
  const auto uid = uid_text ? parse_number(*uid_text) : std::nullopt;
  const auto validity = validity_text ? parse_number(*validity_text) : std::nullopt;
  if (!uid || !validity || *uid == 0 || *uid > 0xFFFFFFFFU || *validity > 0xFFFFFFFFU || text.empty())
    return std::nullopt;
  return ItemId{static_cast<Uid>(*uid), static_cast<std::uint32_t>(*validity), std::string(text)};
}

std::string SearchKey::text() const {
  if (gmail_message_id) return "g" + std::to_string(*gmail_message_id);
  return "m" + std::to_string(octets) + "." + std::to_string(received_seconds) + "." + message_id;
}

std::optional<SearchKey> SearchKey::parse(std::string_view text) {
  SearchKey key;
  if (text.starts_with('g')) {
    key.gmail_message_id = parse_number(text.substr(1));
    if (!key.gmail_message_id) return std::nullopt;
    return key;
  }
  if (!text.starts_with('m')) return std::nullopt;
  text.remove_prefix(1);
  const auto octets_text = take_part(text);
  const auto seconds_text = octets_text ? take_part(text) : std::nullopt;
  const auto octets = octets_text ? parse_number(*octets_text) : std::nullopt;
  const auto seconds = seconds_text ? syncline::text::parse_int(*seconds_text) : std::nullopt;
  if (!octets || !seconds) return std::nullopt;
  key.octets = *octets;
  key.received_seconds = *seconds;
  key.message_id = std::string(text);
  return key;
}

}  // namespace syncline::imap
