// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the quick readers (id_feed, message_items) share: names of the frame around every reply.
#include <optional>
#include <string>
#include <string_view>

#include "ews/codec/detail/field_text.hpp"
#include "ews/types/item.hpp"
#include "ews/types/soap.hpp"
#include "ews/xml/sax_reader.hpp"

namespace syncline::ews::codec {

constexpr std::string_view messages_space = "http://schemas.microsoft.com/exchange/services/2006/messages";
constexpr std::string_view types_space = "http://schemas.microsoft.com/exchange/services/2006/types";

inline bool is_envelope(const xml::StartTag& tag) {
  return tag.local == "Envelope" && (tag.space == "http://schemas.xmlsoap.org/soap/envelope/" ||
                                     tag.space == "http://www.w3.org/2003/05/soap-envelope");
}

inline ServerVersionInfo version_of(const xml::StartTag& tag) {
  ServerVersionInfo info;
  const auto number = [&](std::string_view name, int& to) {
    if (const auto* value = tag.attribute(name)) to = FieldText<int>::read(std::string(*value)).value_or(0);
  };
  number("MajorVersion", info.major);
  number("MinorVersion", info.minor);
  number("MajorBuildNumber", info.major_build);
  number("MinorBuildNumber", info.minor_build);
  if (const auto* version = tag.attribute("Version")) info.version = *version;
  return info;
}

inline std::optional<ItemKind> item_kind_of_name(std::string_view name) {
  for (int kind = 0; kind < static_cast<int>(ItemKind::opaque); ++kind)
    if (element_name_of(static_cast<ItemKind>(kind)) == name) return static_cast<ItemKind>(kind);
  return std::nullopt;
}

}  // namespace syncline::ews::codec
