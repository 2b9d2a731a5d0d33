// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/codec/detail/message_items.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ews/codec/detail/sax_frame.hpp"
#include "ews/xml/plain_reader.hpp"

namespace syncline::ews::codec {
namespace {

/// What is open. `leaf`: only text may follow; `empty`: nothing.
enum class In : std::uint8_t {
  document,
  envelope,
  header,
  body,
  response,
  messages,
  message,
  items,
  item,
  recipient,
  recipients,
  mailbox,
  categories,
  extended_property,
  values,
  attachments,
  attachment,
  leaf,
  empty,
};

template <class T>
void read_text(std::string&& text, std::optional<T>& to) {
  to = FieldText<T>::read(std::move(text));
}

using StoreInItem = void (*)(Item& item, std::string&& text);

template <auto member>
void in_item(Item& item, std::string&& text) {
  read_text(std::move(text), item.*member);
}
template <auto member>
void in_message(Item& item, std::string&& text) {
  read_text(std::move(text), (*item.message).*member);
}
void in_body(Item& item, std::string&& text) {
  item.body->value = std::move(text);
}

using OnePerson = std::optional<EmailAddress>& (*)(MessagePart& part);
using People = std::vector<EmailAddress>& (*)(MessagePart& part);

template <auto member>
auto& of_message(MessagePart& part) {
  return part.*member;
}

/// How a property of an item is read.
struct Property {
  enum class Kind : std::uint8_t {
    text,
    body,
    person,
    people,
    words,
    item_id,
    folder_id,
    conversation_id,
    extended,
    attachments
  };
  std::string_view name;
  Kind kind = Kind::text;
  StoreInItem store = nullptr;
  OnePerson person = nullptr;
  People people = nullptr;
};

constexpr std::array properties{
    Property{"ItemId", Property::Kind::item_id},
    Property{"ParentFolderId", Property::Kind::folder_id},
    Property{"ConversationId", Property::Kind::conversation_id},
    Property{"ItemClass", Property::Kind::text, in_item<&Item::item_class>},
    Property{"Subject", Property::Kind::text, in_item<&Item::subject>},
    Property{"Sensitivity", Property::Kind::text, in_item<&Item::sensitivity>},
    Property{"Body", Property::Kind::body, in_body},
    Property{"Attachments", Property::Kind::attachments},
    Property{"DateTimeReceived", Property::Kind::text, in_item<&Item::date_time_received>},
    Property{"Size", Property::Kind::text, in_item<&Item::size>},
    Property{"Categories", Property::Kind::words},
    Property{"Importance", Property::Kind::text, in_item<&Item::importance>},
    Property{"InReplyTo", Property::Kind::text, in_item<&Item::in_reply_to>},
    Property{"IsSubmitted", Property::Kind::text, in_item<&Item::is_submitted>},
    Property{"IsDraft", Property::Kind::text, in_item<&Item::is_draft>},
    Property{"IsFromMe", Property::Kind::text, in_item<&Item::is_from_me>},
    Property{"IsResend", Property::Kind::text, in_item<&Item::is_resend>},
    Property{"IsUnmodified", Property::Kind::text, in_item<&Item::is_unmodified>},
    Property{"DateTimeSent", Property::Kind::text, in_item<&Item::date_time_sent>},
    Property{"DateTimeCreated", Property::Kind::text, in_item<&Item::date_time_created>},
    Property{"DisplayCc", Property::Kind::text, in_item<&Item::display_cc>},
    Property{"DisplayTo", Property::Kind::text, in_item<&Item::display_to>},
    Property{"HasAttachments", Property::Kind::text, in_item<&Item::has_attachments>},
    Property{"ExtendedProperty", Property::Kind::extended},
    Property{"Culture", Property::Kind::text, in_item<&Item::culture>},
    Property{"LastModifiedName", Property::Kind::text, in_item<&Item::last_modified_name>},
    Property{"LastModifiedTime", Property::Kind::text, in_item<&Item::last_modified_time>},
    Property{"IsAssociated", Property::Kind::text, in_item<&Item::is_associated>},
    Property{"InstanceKey", Property::Kind::text, in_item<&Item::instance_key>},
    Property{"Preview", Property::Kind::text, in_item<&Item::preview>},
    Property{"Sender", Property::Kind::person, nullptr, of_message<&MessagePart::sender>, nullptr},
    Property{"ToRecipients", Property::Kind::people, nullptr, nullptr,
             of_message<&MessagePart::to_recipients>},
    Property{"CcRecipients", Property::Kind::people, nullptr, nullptr,
             of_message<&MessagePart::cc_recipients>},
    Property{"BccRecipients", Property::Kind::people, nullptr, nullptr,
             of_message<&MessagePart::bcc_recipients>},
    Property{"IsReadReceiptRequested", Property::Kind::text,
             in_message<&MessagePart::is_read_receipt_requested>},
    Property{"IsDeliveryReceiptRequested", Property::Kind::text,
             in_message<&MessagePart::is_delivery_receipt_requested>},
    Property{"ConversationIndex", Property::Kind::text, in_message<&MessagePart::conversation_index>},
    Property{"ConversationTopic", Property::Kind::text, in_message<&MessagePart::conversation_topic>},
    Property{"From", Property::Kind::person, nullptr, of_message<&MessagePart::from>},
    Property{"InternetMessageId", Property::Kind::text, in_message<&MessagePart::internet_message_id>},
    Property{"IsRead", Property::Kind::text, in_message<&MessagePart::is_read>},
    Property{"IsResponseRequested", Property::Kind::text, in_message<&MessagePart::is_response_requested>},
    Property{"References", Property::Kind::text, in_message<&MessagePart::references>},
    Property{"ReplyTo", Property::Kind::people, nullptr, nullptr, of_message<&MessagePart::reply_to>},
    Property{"ReceivedBy", Property::Kind::person, nullptr, of_message<&MessagePart::received_by>},
    Property{"ReceivedRepresenting", Property::Kind::person, nullptr,
             of_message<&MessagePart::received_representing>},
};

const Property* property_of(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const Property*> made;
    for (const Property& property : properties) made.emplace(property.name, &property);
    return made;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

template <class Object>
struct Leaf {
  std::string_view name;
  void (*store)(Object& object, std::string&& text);
};
template <class Object, auto member>
void in_object(Object& object, std::string&& text) {
  read_text(std::move(text), object.*member);
}

constexpr std::array<Leaf<EmailAddress>, 5> mailbox_leaves{{
    {"Name", in_object<EmailAddress, &EmailAddress::name>},
    {"EmailAddress", in_object<EmailAddress, &EmailAddress::address>},
    {"RoutingType", in_object<EmailAddress, &EmailAddress::routing_type>},
    {"MailboxType", in_object<EmailAddress, &EmailAddress::mailbox_type>},
    {"OriginalDisplayName", in_object<EmailAddress, &EmailAddress::original_display_name>},
}};

void in_file(Attachment& attachment, std::string&& text) {
  if (auto* file = std::get_if<FileContent>(&attachment.content))
    read_text(std::move(text), file->is_contact_photo);
}
constexpr std::array<Leaf<Attachment>, 8> attachment_leaves{{
    {"Name", in_object<Attachment, &Attachment::name>},
    {"ContentType", in_object<Attachment, &Attachment::content_type>},
    {"ContentId", in_object<Attachment, &Attachment::content_id>},
    {"ContentLocation", in_object<Attachment, &Attachment::content_location>},
    {"Size", in_object<Attachment, &Attachment::size>},
    {"LastModifiedTime", in_object<Attachment, &Attachment::last_modified_time>},
    {"IsInline", in_object<Attachment, &Attachment::is_inline>},
    {"IsContactPhoto", in_file},
}};

template <class Object, std::size_t count>
std::size_t leaf_of(const std::array<Leaf<Object>, count>& leaves, std::string_view name) {
  std::size_t i = 0;
  while (i < count && leaves[i].name != name) ++i;
  return i;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n") == std::string_view::npos;
}

/// Values whose white space a parser may change are left to the bindings.
bool is_plain(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) > ' '; });
}

class MessageItems final : public xml::SaxHandler {
 public:
  Result<void> start_element(const xml::StartTag& tag) override {
    const bool plain =
        std::all_of(tag.attributes.begin(), tag.attributes.end(), [](const xml::Attribute& one) {
          return one.space.empty() && one.prefix.empty() && is_plain(one.value);
        });
    if (!plain || depth_ + 1 == open_.size() || open_[depth_] == In::leaf || open_[depth_] == In::empty)
      return give_up();
    const std::optional<In> next = enter(open_[depth_], tag);
    if (!next) return give_up();
    open_[++depth_] = *next;
    return {};
  }

  Result<void> end_element() override {
    const In ended = open_[depth_--];
    if (ended == In::leaf) return store_leaf() ? Result<void>() : give_up();
    if (ended == In::message && !(code_seen_ && items_seen_)) return give_up();
    if (ended == In::extended_property && !(path_seen_ && value_seen_)) return give_up();
    return {};
  }

  Result<void> text(std::string_view piece) override {
    if (open_[depth_] == In::leaf)
      text_ += piece;
    else if (!is_blank(piece))
      return give_up();
    return {};
  }

  std::optional<GetItemResponse> take_response() {
    if (response_.messages.empty()) return std::nullopt;
    return std::move(response_);
  }

 private:
  /// Where the text of a leaf goes.
  enum class Target : std::uint8_t { code, item, mailbox, attachment, word, value };

  static unexpected<Error> give_up() {
    return fail(ErrorDomain::xml, "not-plain-messages", "the bindings have to read this");
  }

  Item& item() { return response_.messages.back().value.back(); }

  std::optional<In> enter(In in, const xml::StartTag& tag) {
    const bool bare = tag.attributes.empty();
    const auto is = [&](std::string_view space, std::string_view local) {
      return bare && tag.space == space && tag.local == local;
    };
    const auto when = [](bool so, In next) { return so ? std::optional(next) : std::nullopt; };
    switch (in) {
      case In::document:
        envelope_space_ = std::string(tag.space);
        return when(is_envelope(tag) && bare, In::envelope);
      case In::envelope:
        if (is(envelope_space_, "Header")) return In::header;
        return when(is(envelope_space_, "Body") && response_.messages.empty(), In::body);
      case In::header:
        if (tag.space != types_space || tag.local != "ServerVersionInfo" || response_.server)
          return std::nullopt;
        response_.server = version_of(tag);
        return In::empty;
      case In::body:
        return when(is(messages_space, "GetItemResponse") && response_.messages.empty(), In::response);
      case In::response:
        return when(is(messages_space, "ResponseMessages") && response_.messages.empty(), In::messages);
      case In::messages:
        return enter_message(tag);
      case In::message:
        if (is(messages_space, "ResponseCode") && !code_seen_) {
          code_seen_ = true;
          return leaf(Target::code);
        }
        if (!is(messages_space, "Items") || items_seen_) return std::nullopt;
        items_seen_ = true;
        return In::items;
      case In::items:
        return when(bare && tag.space == types_space && enter_item(tag.local), In::item);
      default:
        return tag.space == types_space ? enter_in_item(in, tag) : std::nullopt;
    }
  }

  std::optional<In> enter_message(const xml::StartTag& tag) {
    const auto* response_class = tag.attribute("ResponseClass");
    if (tag.space != messages_space || tag.local != "GetItemResponseMessage" || tag.attributes.size() != 1 ||
        response_class == nullptr || *response_class != "Success")
      return std::nullopt;
    auto& made = response_.messages.emplace_back();
    made.response_class = ResponseClass::success;
    made.code = "NoError";
    code_seen_ = items_seen_ = false;
    return In::message;
  }

  bool enter_item(std::string_view name) {
    const auto kind = item_kind_of_name(name);
    if (!kind) return false;
    const bool meeting = *kind == ItemKind::meeting_message || *kind == ItemKind::meeting_request ||
                         *kind == ItemKind::meeting_response || *kind == ItemKind::meeting_cancellation;
    if (*kind != ItemKind::message && !meeting) return false;
    Item& made = response_.messages.back().value.emplace_back();
    made.kind = *kind;
    made.message.get_or_make();
    if (meeting) {
      made.meeting.get_or_make();
      made.calendar.get_or_make();
    }
    seen_.reset();
    return true;
  }

  std::optional<In> enter_in_item(In in, const xml::StartTag& tag) {
    const bool bare = tag.attributes.empty();
    switch (in) {
      case In::item:
        return enter_property(tag);
      case In::recipient:
        if (!bare || tag.local != "Mailbox" || *person_slot_) return std::nullopt;
        return enter_mailbox(person_slot_->emplace());
      case In::recipients:
        if (!bare || tag.local != "Mailbox") return std::nullopt;
        return enter_mailbox(people_->emplace_back());
      case In::mailbox: {
        leaf_ = leaf_of(mailbox_leaves, tag.local);
        if (!bare || leaf_ == mailbox_leaves.size() || parts_seen_.test(leaf_)) return std::nullopt;
        parts_seen_.set(leaf_);
        return leaf(Target::mailbox);
      }
      case In::categories:
        if (!bare || tag.local != "String") return std::nullopt;
        return leaf(Target::word);
      case In::extended_property:
        return enter_in_extended(tag);
      case In::values:
        if (!bare || tag.local != "Value") return std::nullopt;
        return leaf(Target::value);
      case In::attachments: {
        const bool file = tag.local == "FileAttachment";
        if (!bare || (!file && tag.local != "ItemAttachment")) return std::nullopt;
        Attachment& made = item().attachments.emplace_back();
        if (!file) made.content.emplace<ItemContent>();
        parts_seen_.reset();
        return In::attachment;
      }
      case In::attachment: {
        Attachment& attachment = item().attachments.back();
        if (tag.local == "AttachmentId") {
          const auto* id = tag.attribute("Id");
          if (id == nullptr || tag.attributes.size() != 1 || attachment.id) return std::nullopt;
          attachment.id.emplace().id = *id;
          return In::empty;
        }
        leaf_ = leaf_of(attachment_leaves, tag.local);
        const bool of_files = leaf_ + 1 == attachment_leaves.size();
        if (!bare || leaf_ == attachment_leaves.size() || parts_seen_.test(leaf_) ||
            (of_files && !std::holds_alternative<FileContent>(attachment.content)))
          return std::nullopt;
        parts_seen_.set(leaf_);
        return leaf(Target::attachment);
      }
      default:
        return std::nullopt;
    }
  }

  std::optional<In> enter_property(const xml::StartTag& tag) {
    const Property* property = property_of(tag.local);
    if (property == nullptr) return std::nullopt;
    using Kind = Property::Kind;
    const auto number = static_cast<std::size_t>(property - properties.data());
    if (property->kind != Kind::extended && seen_.test(number)) return std::nullopt;
    seen_.set(number);
    property_ = property;
    if (property->kind == Kind::item_id) return enter_id(tag, item().item_id);
    if (property->kind == Kind::folder_id) return enter_id(tag, item().parent_folder_id);
    if (property->kind == Kind::conversation_id) return enter_id(tag, item().conversation_id);
    if (property->kind == Kind::body) return enter_body(tag);
    if (!tag.attributes.empty()) return std::nullopt;
    switch (property->kind) {
      case Kind::person:
        person_slot_ = &property->person(*item().message);
        return In::recipient;
      case Kind::people:
        people_ = &property->people(*item().message);
        return In::recipients;
      case Kind::words:
        return In::categories;
      case Kind::attachments:
        return In::attachments;
      case Kind::extended:
        item().extended_properties.emplace_back();
        path_seen_ = value_seen_ = false;
        return In::extended_property;
      default:
        return leaf(Target::item);
    }
  }

  template <class Id>
  std::optional<In> enter_id(const xml::StartTag& tag, std::optional<Id>& to) {
    const auto* id = tag.attribute("Id");
    const auto* key = tag.attribute("ChangeKey");
    if (id == nullptr || tag.attributes.size() != (key == nullptr ? 1U : 2U)) return std::nullopt;
    to.emplace().id = *id;
    if (key != nullptr) to->change_key = *key;
    return In::empty;
  }

  std::optional<In> enter_body(const xml::StartTag& tag) {
    const auto* type = tag.attribute("BodyType");
    const auto* truncated = tag.attribute("IsTruncated");
    if (type == nullptr || tag.attributes.size() != (truncated == nullptr ? 1U : 2U)) return std::nullopt;
    Body& body = item().body.emplace();
    body.type = Open<BodyType>::parse(*type);
    if (truncated != nullptr) body.is_truncated = FieldText<bool>::read(std::string(*truncated));
    return leaf(Target::item);
  }

  std::optional<In> enter_mailbox(EmailAddress& address) {
    mailbox_ = &address;
    parts_seen_.reset();
    return In::mailbox;
  }

  std::optional<In> enter_in_extended(const xml::StartTag& tag) {
    ExtendedProperty& property = item().extended_properties.back();
    if (tag.local == "ExtendedFieldURI") {
      if (path_seen_ || tag.attribute("PropertyType") == nullptr) return std::nullopt;
      path_seen_ = true;
      for (const xml::Attribute& one : tag.attributes)
        if (!set_path(property.uri, one.local, std::string(one.value))) return std::nullopt;
      return In::empty;
    }
    if (!tag.attributes.empty() || value_seen_) return std::nullopt;
    value_seen_ = true;
    if (tag.local == "Value") return leaf(Target::value);
    if (tag.local != "Values") return std::nullopt;
    property.is_array = true;
    return In::values;
  }

  static bool set_path(ExtendedFieldUri& path, std::string_view name, std::string value) {
    if (name == "PropertyType")
      path.property_type = Open<MapiPropertyType>::parse(value);
    else if (name == "PropertyTag")
      path.property_tag = std::move(value);
    else if (name == "PropertyName")
      path.property_name = std::move(value);
    else if (name == "PropertySetId")
      path.property_set_id = std::move(value);
    else if (name == "DistinguishedPropertySetId")
      path.distinguished_property_set = Open<PropertySet>::parse(value);
    else if (name == "PropertyId")
      path.property_id = FieldText<std::int64_t>::read(value);
    else
      return false;
    return true;
  }

  In leaf(Target target) {
    target_ = target;
    text_.clear();
    return In::leaf;
  }

  bool store_leaf() {
    switch (target_) {
      case Target::code:
        return text_ == "NoError";
      case Target::item:
        property_->store(item(), std::move(text_));
        break;
      case Target::mailbox:
        mailbox_leaves[leaf_].store(*mailbox_, std::move(text_));
        break;
      case Target::attachment:
        attachment_leaves[leaf_].store(item().attachments.back(), std::move(text_));
        break;
      case Target::word:
        item().categories.push_back(std::move(text_));
        break;
      case Target::value:
        item().extended_properties.back().values.push_back(std::move(text_));
        break;
    }
    return true;
  }

  GetItemResponse response_;
  std::array<In, 12> open_{In::document};
  std::size_t depth_ = 0;
  std::string envelope_space_;
  std::string text_;
  Target target_ = Target::code;
  const Property* property_ = nullptr;
  std::optional<EmailAddress>* person_slot_ = nullptr;
  std::vector<EmailAddress>* people_ = nullptr;
  EmailAddress* mailbox_ = nullptr;
  std::size_t leaf_ = 0;
  std::bitset<properties.size()> seen_;                                                ///< of the item
  std::bitset<std::max(mailbox_leaves.size(), attachment_leaves.size())> parts_seen_;  ///< of what is in it
  bool code_seen_ = false;
  bool items_seen_ = false;
  bool path_seen_ = false;
  bool value_seen_ = false;
};

}  // namespace

std::optional<GetItemResponse> read_message_items(std::string_view xml) {
  MessageItems items;
  if (!xml::read_plain(xml, items)) return std::nullopt;
  return items.take_response();
}

}  // namespace syncline::ews::codec
