// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/message/message_fields.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "base/text.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::mail {
namespace {

namespace json = boost::json;

/// Cut at a character's beginning.
std::string_view within_limit(std::string_view text) {
  if (text.size() <= model::field_text_limit_octets) return text;
  std::size_t end = model::field_text_limit_octets;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

json::value text_value(std::string_view text) {
  if (text.empty()) return json::value();
  return json::value(within_limit(text));
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? text_value(*text) : json::value();
}

json::object person(const mime::Mailbox& mailbox) {
  json::object made;
  const std::string_view name = text::trim(mailbox.name);
  const std::string_view address = text::trim(mailbox.address);
  if (!name.empty()) made.emplace("name", name);
  if (!address.empty()) made.emplace("emailAddress", address);
  return made;
}

json::value first_person(const std::optional<std::vector<mime::Mailbox>>& people) {
  if (people)
    for (const mime::Mailbox& one : *people)
      if (json::object made = person(one); !made.empty()) return made;
  return json::value();
}

/// A set: by address in any case, the name where there is none.
json::value people(const std::optional<std::vector<mime::Mailbox>>& list) {
  if (!list) return json::value();
  json::array made;
  std::set<std::string> seen;
  for (const mime::Mailbox& one : *list) {
    json::object object = person(one);
    const std::string key = text::to_lower_ascii(text::trim(one.address.empty() ? one.name : one.address));
    if (object.empty() || made.size() >= model::field_elements_limit || !seen.insert(key).second) continue;
    made.emplace_back(std::move(object));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

json::value instant(const std::optional<mime::DateTime>& time) {
  return time ? json::value(mime::to_utc_text(*time)) : json::value();
}

json::value words(const std::vector<std::string>& list) {
  json::array made;
  std::set<std::string> seen;
  for (const std::string& word : list) {
    const std::string_view trimmed = text::trim(word);
    if (trimmed.empty() || made.size() >= model::field_elements_limit || !seen.emplace(trimmed).second)
      continue;
    made.emplace_back(trimmed);
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

json::value attachments(const mime::Message& message, const std::string& prefix) {
  json::array made;
  for (std::size_t i = 0; i < message.attachments.size() && made.size() < model::field_elements_limit; ++i) {
    const mime::Attachment& one = message.attachments[i];
    json::object object;
    object.emplace("id", prefix + std::to_string(i));
    if (!one.name.empty()) object.emplace("name", one.name);
    if (!one.type.empty()) object.emplace("contentType", one.type);
    object.emplace("size", static_cast<std::int64_t>(one.size));
    object.emplace("isInline", one.is_inline);
    if (!one.content_id.empty()) object.emplace("contentId", one.content_id);
    made.emplace_back(std::move(object));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

/// The richer form (invariant 9).
json::value body(const mime::Message& message) {
  const bool html = message.html.has_value();
  if (!html && !message.text) return json::value();
  const mime::BodyText& chosen = html ? *message.html : *message.text;
  return json::object{{"type", html ? "html" : "text"}, {"value", within_limit(chosen.value)}};
}

}  // namespace

std::string utc_text(SystemTime time) {
  return mime::to_utc_text({std::chrono::floor<std::chrono::seconds>(time), std::chrono::minutes(0)});
}

std::string item_class_of(const mime::Message& message) {
  if (message.report) {
    if (message.report->type == "disposition-notification") return "REPORT.IPM.Note.IPNRN";
    const bool delivered = std::any_of(message.report->recipients.begin(), message.report->recipients.end(),
                                       [](const mime::RecipientReport& one) {
                                         return one.action == "delivered" || one.action == "relayed";
                                       });
    return delivered ? "REPORT.IPM.Note.DR" : "REPORT.IPM.Note.NDR";
  }
  switch (message.protection) {
    case mime::Protection::signed_clear:
      return "IPM.Note.SMIME.MultipartSigned";
    case mime::Protection::signed_opaque:
    case mime::Protection::encrypted:
    case mime::Protection::rights_managed:
      return "IPM.Note.SMIME";
    case mime::Protection::none:
      break;
  }
  return "IPM.Note";
}

model::Fields fields_of(const mime::Message& message, const MessageContext& context) {
  model::Fields fields;
  fields.reserve(24);
  fields["subject"] = text_or_null(message.subject);
  fields["from"] = first_person(message.from);
  fields["sender"] = first_person(message.sender ? message.sender : message.from);
  fields["toRecipients"] = people(message.to);
  fields["ccRecipients"] = people(message.cc);
  fields["bccRecipients"] = people(message.bcc);
  fields["replyTo"] = people(message.reply_to);
  const json::value received = context.received   ? json::value(utc_text(*context.received))
                               : message.received ? instant(message.received)
                                                  : instant(message.date);
  fields["dateTimeReceived"] = received;
  // A date that cannot be read falls back to the time of receipt, and is marked.
  fields["dateTimeSent"] = message.date ? instant(message.date) : received;
  if (!message.date) fields["statusReason"] = "no-readable-date";
  fields["internetMessageId"] = text_or_null(message.message_id);
  fields["inReplyTo"] = text_or_null(message.in_reply_to);
  fields["references"] = text_or_null(message.references);
  fields["conversationIndex"] = text_value(message.conversation_index);
  fields["conversationTopic"] = text_value(message.conversation_topic);
  fields["importance"] = json::value(mime::to_string(message.importance));
  fields["sensitivity"] = json::value(mime::to_string(message.sensitivity));
  fields["categories"] = words(message.keywords);
  if (context.is_read) fields["isRead"] = *context.is_read;
  if (context.is_whole) {
    fields["itemClass"] = item_class_of(message);
    fields["isEncrypted"] = message.is_opaque();
    fields["attachments"] = attachments(message, context.attachment_prefix);
    if (context.with_body && !message.is_opaque()) fields["body"] = body(message);
  }
  return fields;
}

}  // namespace syncline::mail
