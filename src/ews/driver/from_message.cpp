// SPDX-License-Identifier: GPL-3.0-or-later
// Messages, meeting messages among them: they lie in the same folders and are read as mail.
#include <algorithm>

#include "base/text.hpp"
#include "ews/driver/field_row.hpp"
#include "ews/driver/marks.hpp"

namespace syncline::ews {
namespace {

/// Content-Class of the message's header: of rights management it is "rpmsg.message" (MS-OXORMMS).
const ExtendedFieldUri& content_class() {
  static const ExtendedFieldUri property{.distinguished_property_set = PropertySet::internet_headers,
                                         .property_name = "content-class",
                                         .property_type = MapiPropertyType::string};
  return property;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && text::equals_ignore_case(text.substr(0, prefix.size()), prefix);
}

MappedValue encrypted(const Item& item, const ItemContext&) {
  return boost::json::value(is_encrypted(item));
}

constexpr FieldRow rows[] = {
    {"subject", "item:Subject", mapped<&Item::subject, text_of>},
    {"from", "message:From", mapped<&MessagePart::from, person_of>},
    {"sender", "message:Sender", mapped<&MessagePart::sender, person_of>},
    {"toRecipients", "message:ToRecipients", mapped<&MessagePart::to_recipients, people_of>},
    {"ccRecipients", "message:CcRecipients", mapped<&MessagePart::cc_recipients, people_of>},
    {"bccRecipients", "message:BccRecipients", mapped<&MessagePart::bcc_recipients, people_of>},
    {"replyTo", "message:ReplyTo", mapped<&MessagePart::reply_to, people_of>},
    {"dateTimeSent", "item:DateTimeSent", mapped<&Item::date_time_sent, instant_of>},
    {"dateTimeReceived", "item:DateTimeReceived", mapped<&Item::date_time_received, instant_of>},
    {"internetMessageId", "message:InternetMessageId", mapped<&MessagePart::internet_message_id, text_of>},
    {"inReplyTo", "item:InReplyTo", mapped<&Item::in_reply_to, text_of>},
    {"references", "message:References", mapped<&MessagePart::references, text_of>},
    {"conversationIndex", "message:ConversationIndex", mapped<&MessagePart::conversation_index, text_of>},
    {"conversationTopic", "message:ConversationTopic", mapped<&MessagePart::conversation_topic, text_of>},
    {"importance", "item:Importance", mapped<&Item::importance, choice_of<Importance>>},
    {"sensitivity", "item:Sensitivity", mapped<&Item::sensitivity, choice_of<Sensitivity>>},
    {"categories", "item:Categories", mapped<&Item::categories, words_of>},
    {"isRead", "message:IsRead", mapped<&MessagePart::is_read, boolean_of>},
    {"itemClass", nullptr, mapped<&Item::item_class, text_of>},
    {"isEncrypted", nullptr, encrypted},
    {"attachments", "item:Attachments", mapped<&Item::attachments, attachments_of>},
};

}  // namespace

const KindTable& message_table() {
  static const KindTable table{.rows = rows, .properties = {content_class(), own_mail_property()}};
  return table;
}

bool is_encrypted(const Item& item) {
  if (item.item_class && starts_with_ignoring_case(*item.item_class, "IPM.Note.SMIME")) return true;
  // A server that may open protected mail shows its content, but not to be kept outside.
  if (const auto said = value_of(item, content_class());
      said && text::equals_ignore_case(*said, "rpmsg.message"))
    return true;
  return std::any_of(item.attachments.begin(), item.attachments.end(), [](const Attachment& attachment) {
    return attachment.content_type &&
           text::equals_ignore_case(*attachment.content_type, "application/x-microsoft-rpmsg-message");
  });
}

}  // namespace syncline::ews
