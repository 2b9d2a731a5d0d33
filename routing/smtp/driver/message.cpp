// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/driver/message.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "base/text.hpp"
#include "routing/smtp/address.hpp"

namespace syncline::smtp {
namespace {

bool is_message_id(std::string_view text) {
  return text.size() >= 5 && text.size() <= 900 && text.front() == '<' && text.back() == '>' &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f;
         });
}

std::string only_id_characters(std::string_view text) {
  std::string made;
  for (const char c : text) {
    const bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '.' || c == '_';
    if (fits) made += c;
  }
  return made;
}

}  // namespace

net::Async<std::size_t> MessageSource::read(std::span<std::byte> buffer) {
  co_return text_.read(buffer);
}

std::vector<std::string> recipients_of(const model::Fields& fields) {
  std::vector<std::string> all;
  std::set<std::string> seen;
  for (const char* list : {"toRecipients", "ccRecipients", "bccRecipients"}) {
    const model::FieldValue* people = fields.if_contains(list);
    if (people == nullptr || !people->is_array()) continue;
    for (const model::FieldValue& person : people->get_array()) {
      if (!person.is_object()) continue;
      const std::string_view address = text::trim(model::text_of(person.get_object(), "emailAddress"));
      if (address.empty() || !seen.insert(text::to_lower_ascii(address)).second) continue;
      all.emplace_back(address);
    }
  }
  return all;
}

std::string message_id_for(const sync::WriteOrder& order, std::string_view sender) {
  const std::string_view own = text::trim(model::text_of(order.fields, "internetMessageId"));
  if (is_message_id(own)) return std::string(own);
  const std::size_t at = sender.rfind('@');
  const std::string domain =
      at == std::string_view::npos ? std::string() : only_id_characters(sender.substr(at + 1));
  return "<" + only_id_characters(order.operation_id) + ".syncline@" +
         (domain.empty() ? "localhost" : domain) + ">";
}

}  // namespace syncline::smtp
