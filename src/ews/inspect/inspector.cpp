// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/inspect/inspector.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "ews/inspect/field_types.hpp"
#include "ews/xml/sax_reader.hpp"

namespace syncline::ews::inspect {
namespace {

namespace json = boost::json;

constexpr std::string_view soap_1_1 = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr std::string_view soap_1_2 = "http://www.w3.org/2003/05/soap-envelope";
constexpr std::string_view schema_instance = "http://www.w3.org/2001/XMLSchema-instance";
// Without the scheme: documentation and some gateways write https for http.
constexpr std::string_view ews_spaces = "://schemas.microsoft.com/exchange/services/2006/";
constexpr std::string_view autodiscover_space = "://schemas.microsoft.com/exchange/2010/Autodiscover";

bool is_soap(std::string_view space) noexcept {
  return space == soap_1_1 || space == soap_1_2;
}
bool is_autodiscover(std::string_view space) noexcept {
  return space.ends_with(autodiscover_space);
}
bool is_ews(std::string_view space) noexcept {
  return space.find(ews_spaces) != std::string_view::npos;
}

bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// `text` as the type that `name` has; as text if it is not of that type.
json::value typed(std::string_view name, std::string_view text, bool no_offset_is_utc) {
  const std::string_view trimmed = text::trim(text);
  switch (type_of(name)) {
    case FieldType::boolean:
      if (trimmed == "true" || trimmed == "1") return true;
      if (trimmed == "false" || trimmed == "0") return false;
      break;
    case FieldType::number: {
      if (const auto whole = text::parse_int(trimmed)) return *whole;
      double real = 0;
      const auto [end, failed] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), real);
      if (failed == std::errc{} && end == trimmed.data() + trimmed.size() && !trimmed.empty() &&
          std::isfinite(real)) {
        return real;
      }
      break;
    }
    case FieldType::date_time:
      if (auto moment = to_utc(trimmed, no_offset_is_utc)) return json::string(*moment);
      if (auto date = written_date(trimmed)) return json::string(*date);
      break;
    case FieldType::text:
      break;
  }
  return json::string(text);
}

struct Child {
  std::string local;
  std::string key;  ///< of an Entry in a dictionary, of a Value in a MessageXml
  json::value value;
};

/// The plan of a message that is told in the answer; its place in the order is that of its start tag.
struct Message {
  json::value klass = nullptr;
  json::value code = nullptr;
  json::value text = nullptr;
  json::value message_xml = nullptr;
  json::array items;
  json::array folders;
  json::array changes;
  json::object more;
  bool is_complete = false;

  json::object to_json() && {
    json::object out;
    out["class"] = std::move(klass);
    out["code"] = std::move(code);
    out["text"] = std::move(text);
    out["messageXml"] = std::move(message_xml);
    out["items"] = std::move(items);
    out["folders"] = std::move(folders);
    out["changes"] = std::move(changes);
    for (auto& [name, value] : more) {
      if (!out.contains(name)) out[name] = std::move(value);
    }
    return out;
  }
};

enum class Place : std::uint8_t {
  outside,    ///< Envelope, Body
  header,     ///< of which little is kept
  operation,  ///< the Body child
  inside,     ///< everything within it
};

struct Frame {
  std::string local;
  Place place = Place::inside;
  bool is_soap = false;
  bool is_nil = false;
  bool is_autodiscover = false;
  std::optional<std::size_t> message = std::nullopt;    ///< carries a ResponseClass
  std::optional<std::size_t> candidate = std::nullopt;  ///< has a ResponseCode without one
  std::vector<std::pair<std::string, std::string>> attributes = {};
  std::string text = {};
  std::vector<Child> children = {};
};

void put(json::object& object, std::string_view local, json::value value) {
  const std::string name = lower_camel(local);
  json::value* present = object.if_contains(name);
  if (present == nullptr) {
    if (is_repeated(local)) {
      object[name] = json::array{std::move(value)};
    } else {
      object[name] = std::move(value);
    }
    return;
  }
  if (!present->is_array()) *present = json::array{std::move(*present)};
  present->get_array().push_back(std::move(value));
}

bool is_range(std::string_view local) noexcept {
  return local == "NoEndRecurrence" || local == "EndDateRecurrence" || local == "NumberedRecurrence";
}

/// "AbsoluteMonthlyRecurrence" → "absoluteMonthly", "DailyRegeneration" → "dailyRegeneration".
std::string recurrence_type(std::string_view local) {
  if (local.ends_with("Recurrence")) local.remove_suffix(10);
  return lower_camel(local);
}

bool is_recurrence_part(std::string_view local) noexcept {
  return local.ends_with("Recurrence") || local.ends_with("Regeneration");
}

bool is_folder_element(std::string_view local) noexcept {
  return local.ends_with("Folder");
}

bool is_occurrence_list(std::string_view local) noexcept {
  return local == "Create" || local == "Update" || local == "Delete" || local == "ReadFlagChange";
}

}  // namespace

class Inspector::Reader final : public xml::SaxHandler {
 public:
  explicit Reader(const xml::Limits& limits) : sax_(*this, limits, xml::Documents::sequence) {}

  bool feed(std::string_view octets) {
    if (error_) return false;
    if (auto fed = sax_.feed(octets); !fed) {
      note(fed.error());
      return false;
    }
    return true;
  }

  json::object finish() {
    if (!error_) {
      if (auto finished = sax_.finish(); !finished) {
        note(finished.error());
      } else if (documents_ == 0) {
        note(Error{ErrorDomain::xml, "not-xml", "there is no XML element in it"});
      }
    }
    if (!error_) return answer();
    json::object error;
    error["code"] = code_for_users(error_->code);
    error["message"] = error_->message;
    error["line"] = error_line_;
    json::object out;
    out["error"] = std::move(error);
    out["partial"] = operation_seen_ || documents_ > 0 ? json::value(answer()) : json::value(nullptr);
    return out;
  }

  Result<void> start_element(const xml::StartTag& tag) override {
    if (frames_.empty()) {
      if (auto accepted = accept_root(tag); !accepted) return accepted;
    }
    Frame frame;
    frame.local = tag.local;
    frame.is_soap = is_soap(tag.space);
    frame.is_autodiscover = is_autodiscover(tag.space);
    frame.place = place_of(frame);
    if (frame.place == Place::header) {
      note_header(tag);
      frames_.push_back(std::move(frame));
      return {};
    }
    for (const xml::Attribute& one : tag.attributes) {
      if (one.space == schema_instance && one.local == "nil")
        frame.is_nil = one.value == "true" || one.value == "1";
      if (one.space.empty()) frame.attributes.emplace_back(one.local, one.value);
    }
    if (frame.place == Place::operation) start_operation(frame);
    if (frame.place != Place::outside && !in_fault_) {
      start_message(frame, tag);
    }
    frames_.push_back(std::move(frame));
    return {};
  }

  Result<void> text(std::string_view piece) override {
    Frame& frame = frames_.back();
    if (frame.place == Place::header || frame.place == Place::outside) return {};
    // Blanks between children are no one's value.
    if (!frame.children.empty() && is_blank(piece)) return {};
    frame.text += piece;
    return {};
  }

  Result<void> end_element() override {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.place == Place::header || frame.place == Place::outside) return {};
    if (frame.place == Place::operation) {
      end_operation(frame);
      return {};
    }
    Frame& parent = frames_.back();
    if (frame.message) {
      end_message(frame);
      return {};
    }
    if (frame.candidate) note_candidate(frame);
    json::value value = convert(frame, parent.local);
    keep(std::move(frame), std::move(value));
    return {};
  }

  Result<void> end_document() override {
    ++documents_;
    return {};
  }

 private:
  void note(const Error& error) {
    error_ = error;
    error_line_ = sax_.line();
    if (error.code == "dtd-refused" && frames_.empty()) error_->message += "; perhaps it is an HTML page";
    // What a message had said of itself before the fault.
    for (Frame& frame : frames_) {
      if (frame.message) fill(messages_[*frame.message], frame);
    }
  }

  static std::string_view code_for_users(std::string_view code) noexcept {
    if (code == "dtd-refused") return "not-soap";
    for (const std::string_view known : {"not-soap", "truncated", "too-large", "too-deep"}) {
      if (code == known) return known;
    }
    return "not-xml";
  }

  static Result<void> accept_root(const xml::StartTag& tag) {
    const auto not_soap = [](std::string message) {
      return fail(ErrorDomain::soap, "not-soap", std::move(message));
    };
    if (is_soap(tag.space)) {
      if (tag.local == "Envelope" || tag.local == "Fault") return {};
      return not_soap("the root element is not a SOAP Envelope");
    }
    if (is_ews(tag.space) || is_autodiscover(tag.space)) return {};
    if (text::equals_ignore_case(tag.local, "html")) {
      return not_soap("it is an HTML page, perhaps of a sign-in or a gateway, and not SOAP");
    }
    if (tag.local == "Autodiscover") return not_soap("it is an Autodiscover document (POX), and not SOAP");
    if (tag.local == "Envelope") return not_soap("it has an Envelope, but in a namespace that is not SOAP's");
    return not_soap("its root element is neither a SOAP Envelope nor a message of EWS: " +
                    text::escape_for_display(tag.local.substr(0, 60)));
  }

  Place place_of(const Frame& frame) const {
    if (frames_.empty()) {
      return frame.is_soap && frame.local == "Envelope" ? Place::outside : Place::operation;
    }
    const Frame& parent = frames_.back();
    switch (parent.place) {
      case Place::outside:
        if (frames_.size() > 1) return Place::operation;
        return frame.local == "Body" ? Place::outside : Place::header;
      case Place::header:
        return Place::header;
      case Place::operation:
      case Place::inside:
        break;
    }
    return Place::inside;
  }

  void note_header(const xml::StartTag& tag) {
    if (tag.local == "RequestServerVersion") from_client_ = true;
    if (tag.local == "TimeZoneDefinition") {
      // Times without an offset are in this zone; only for UTC is it known here what that means.
      const std::string_view* id = tag.attribute("Id");
      no_offset_is_utc_ = id != nullptr && (*id == "UTC" || *id == "tzone://Microsoft/Utc");
    }
  }

  void start_operation(Frame& frame) {
    if (frame.is_soap && frame.local == "Fault") {
      in_fault_ = true;
      if (!operation_seen_) direction_ = "response";
      operation_seen_ = true;
      return;
    }
    if (operation_seen_) return;
    operation_seen_ = true;
    std::string_view name = frame.local;
    direction_ = "request";
    if (name == "SendNotificationResult") {
      direction_ = "notification-reply";
      name = "SendNotification";
    } else if (name == "SendNotification") {
      direction_ = "notification";
    } else {
      for (const auto& [suffix, direction] :
           {std::pair<std::string_view, std::string_view>{"ResponseMessage", "response"},
            {"RequestMessage", "request"},
            {"Response", "response"},
            {"Request", "request"}}) {
        if (name.size() > suffix.size() && name.ends_with(suffix)) {
          name.remove_suffix(suffix.size());
          direction_ = direction;
          break;
        }
      }
    }
    operation_ = name;
  }

  void start_message(Frame& frame, const xml::StartTag& tag) {
    if (frame.local == "ResponseMessages") response_messages_seen_ = true;
    if (const std::string_view* klass = tag.attribute("ResponseClass")) {
      frame.message = messages_.size();
      messages_.emplace_back().klass = json::string(*klass);
      return;
    }
    if (frames_.empty() || frames_.back().message) return;
    const bool is_code =
        frame.local == "ResponseCode" || (frame.is_autodiscover && frame.local == "ErrorCode");
    if (is_code && !frames_.back().candidate) {
      frames_.back().candidate = candidates_.size();
      candidates_.emplace_back();
    }
  }

  /// The innermost open message, where items and changes go; nullptr in a request.
  Message* open_message() {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
      if (frame->message) return &messages_[*frame->message];
    }
    return nullptr;
  }

  bool is_request() const { return direction_ == "request"; }

  /// Whether the element that just ended is an entry of `list`, which belongs to the operation or a message
  /// and not to something an item contains.
  bool is_entry_of(std::string_view list) const {
    if (frames_.back().local != list || frames_.size() < 2) return false;
    for (std::size_t i = frames_.size() - 1; i-- > 0;) {
      const Frame& above = frames_[i];
      if (above.message || above.place == Place::operation) return true;
      if (above.local != "RootFolder" && above.local != "Groups" && above.local != "GroupedItems")
        return false;
    }
    return false;
  }

  static bool is_emptied(const Frame& frame) {
    if (!frame.children.empty() || !frame.attributes.empty() || !is_blank(frame.text)) return false;
    for (const std::string_view list :
         {"Items", "Folders", "Changes", "ItemIds", "ItemChanges", "FolderIds", "FolderChanges"}) {
      if (frame.local == list) return true;
    }
    return false;
  }

  /// Puts what an element became where it belongs.
  void keep(Frame frame, json::value value) {
    Message* message = open_message();
    json::array* items = message != nullptr ? &message->items : is_request() ? &request_items_ : nullptr;
    json::array* folders = message != nullptr ? &message->folders
                           : is_request()     ? &request_folders_
                                              : nullptr;
    if (items != nullptr && is_entry_of("Items")) {
      items->push_back(std::move(value));
    } else if (folders != nullptr && (is_entry_of("Folders") || (is_request() && is_entry_of("FolderIds")))) {
      folders->push_back(std::move(value));
    } else if (message != nullptr && is_entry_of("Changes")) {
      message->changes.push_back(std::move(value));
    } else if (is_request() && (is_entry_of("ItemIds") || is_entry_of("ItemChanges"))) {
      request_items_.push_back(std::move(value));
    } else if (is_request() && is_entry_of("FolderChanges")) {
      request_folders_.push_back(std::move(value));
    } else if (is_emptied(frame)) {
      // Its entries were kept one by one.
    } else {
      Frame& parent = frames_.back();
      std::string key;
      for (auto& [name, text] : frame.attributes) {
        if ((frame.local == "Entry" && name == "Key") || (frame.local == "Value" && name == "Name")) {
          key = std::move(text);
        }
      }
      if (parent.children.empty() && is_blank(parent.text)) parent.text.clear();
      parent.children.push_back({std::move(frame.local), std::move(key), std::move(value)});
    }
  }

  static json::value text_of(const json::value* value) {
    if (value == nullptr || value->is_null()) return nullptr;
    if (value->is_string()) return *value;
    if (const json::object* object = value->if_object()) {
      if (const json::value* inner = object->if_contains("value")) return *inner;
    }
    return nullptr;
  }

  void end_message(Frame& frame) {
    Message& message = messages_[*frame.message];
    fill(message, frame);
    message.is_complete = true;
  }

  void fill(Message& message, Frame& frame) {
    for (Child& child : frame.children) {
      if (child.local == "ResponseCode" || (frame.is_autodiscover && child.local == "ErrorCode")) {
        message.code = std::move(child.value);
      } else if (child.local == "MessageText" || (frame.is_autodiscover && child.local == "ErrorMessage")) {
        message.text = std::move(child.value);
      } else if (child.local == "MessageXml") {
        message.message_xml = std::move(child.value);
      } else if (child.local == "Items" || child.local == "Folders" || child.local == "Changes" ||
                 child.local == "ResponseMessages") {
        // Their entries are in the message already.
      } else if (child.local == "Notification") {
        json::value& all = message.more["notifications"];
        if (!all.is_array()) all = json::array();
        all.get_array().push_back(std::move(child.value));
      } else {
        put(message.more, child.local, std::move(child.value));
      }
    }
  }

  /// Before the children are moved from: only simple values are taken.
  void note_candidate(const Frame& frame) {
    Frame copy;
    copy.local = frame.local;
    copy.is_autodiscover = frame.is_autodiscover;
    for (const Child& child : frame.children) {
      if (!child.value.is_structured() || child.local == "MessageXml") copy.children.push_back(child);
    }
    Message& candidate = candidates_[*frame.candidate];
    fill(candidate, copy);
    if (candidate.code.is_string()) {
      candidate.klass = candidate.code.get_string() == "NoError" ? "Success" : "Error";
    }
    candidate.is_complete = true;
  }

  void end_operation(Frame& frame) {
    if (in_fault_) {
      end_fault(frame);
      in_fault_ = false;
      return;
    }
    if (frame.message) end_message(frame);
    if (frame.candidate) note_candidate(frame);
    if (is_request()) {
      for (Child& child : frame.children) {
        if (child.local == "AttachmentIds" || child.local == "Attachments")
          request_attachments_ = std::move(child.value);
      }
    }
  }

  void end_fault(Frame& frame) {
    json::object fault;
    fault["code"] = nullptr;
    fault["message"] = nullptr;
    fault["backOffMs"] = nullptr;
    for (Child& child : frame.children) {
      const json::object* object = child.value.if_object();
      if (child.local == "faultcode" || child.local == "Code") {
        json::value code = object != nullptr && object->contains("value") ? object->at("value") : child.value;
        if (code.is_string() && fault["code"].is_null()) {
          const std::string_view name = text::trim(code.get_string());
          fault["code"] = json::string(name.substr(name.rfind(':') + 1));
        }
      } else if (child.local == "faultstring") {
        fault["message"] = text_of(&child.value);
      } else if (child.local == "Reason" && object != nullptr && object->contains("text")) {
        const json::value& reason = object->at("text");
        fault["message"] =
            text_of(reason.is_array() && !reason.get_array().empty() ? &reason.get_array().front() : &reason);
      }
    }
    for (const Child& child : frame.children) {
      if (child.local != "detail" && child.local != "Detail") continue;
      const json::object* detail = child.value.if_object();
      if (detail == nullptr) continue;
      if (const json::value code = text_of(detail->if_contains("responseCode")); code.is_string())
        fault["code"] = code;
      if (fault["message"].is_null()) fault["message"] = text_of(detail->if_contains("message"));
      const json::value* message_xml = detail->if_contains("messageXml");
      const json::object* values = message_xml != nullptr ? message_xml->if_object() : nullptr;
      const json::value back_off =
          values != nullptr ? text_of(values->if_contains("BackOffMilliseconds")) : nullptr;
      if (back_off.is_string()) {
        if (const auto ms = text::parse_int(text::trim(back_off.get_string())); ms && *ms >= 0)
          fault["backOffMs"] = *ms;
      }
    }
    if (fault_.is_null()) fault_ = std::move(fault);
  }

  json::value convert(Frame& frame, std::string_view parent) {
    if (frame.is_nil) return nullptr;
    json::value value =
        frame.children.empty() ? convert_leaf(frame, parent) : convert_container(frame, parent);
    return finish_special(frame, parent, std::move(value));
  }

  json::value convert_leaf(Frame& frame, std::string_view parent) {
    const std::string_view local = frame.local;
    if (local.ends_with("Body") && !frame.attributes.empty() &&
        frame.attributes.front().first == "BodyType") {
      return convert_body(frame);
    }
    if (local == "Entry" && frame.text.empty()) return nullptr;
    if (local == "MimeContent" || local == "MimeContentUTF8" || local == "Entry" ||
        (local == "Value" && parent == "MessageXml")) {
      return json::string(frame.text);
    }
    if (parent == "ResponseObjects" && is_blank(frame.text)) return json::string(local);
    if (is_recurrence_part(local)) return json::object();
    if (frame.attributes.empty()) {
      if (local == "DaysOfWeek") return days(frame.text);
      if (frame.text.empty())
        return is_element_of_kind(local, parent) ? json::value(json::object()) : json::value(nullptr);
      return typed(local, frame.text, no_offset_is_utc_);
    }
    json::object object = attributes_of(frame);
    if (!is_blank(frame.text)) object["value"] = typed(local, frame.text, no_offset_is_utc_);
    return object;
  }

  /// An element that is a thing even when it is empty: an item, a folder, a change.
  static bool is_element_of_kind(std::string_view, std::string_view parent) {
    return parent == "Items" || parent == "Folders" || parent == "Changes" || parent == "Attachments";
  }

  static json::value convert_body(const Frame& frame) {
    json::object body;
    for (const auto& [name, value] : frame.attributes) {
      if (name == "BodyType") body["type"] = text::to_lower_ascii(value);
      if (name == "IsTruncated") body["isTruncated"] = typed(name, value, true);
    }
    body["value"] = frame.text;
    return body;
  }

  static json::array days(std::string_view text) {
    json::array out;
    std::string spaced(text);
    std::ranges::replace_if(
        spaced, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    for (const std::string_view day : text::split(spaced, ' ')) {
      if (!day.empty()) out.push_back(json::string(day));
    }
    return out;
  }

  json::object attributes_of(const Frame& frame) const {
    json::object object;
    for (const auto& [name, value] : frame.attributes) {
      if (frame.local == "Entry" && name == "Key") continue;
      // Ids are opaque, even those that look like something else.
      object[lower_camel(name)] = name.ends_with("Id") || name.ends_with("Key") || name == "Name"
                                      ? json::value(json::string(value))
                                      : typed(name, value, no_offset_is_utc_);
    }
    return object;
  }

  json::value convert_container(Frame& frame, std::string_view parent) {
    const std::string_view local = frame.local;
    if (is_dictionary(local) &&
        std::ranges::all_of(frame.children, [](const Child& c) { return c.local == "Entry"; })) {
      json::object object;
      for (Child& child : frame.children) object[child.key] = std::move(child.value);
      return object;
    }
    if (local == "MessageXml") {
      json::object object;
      for (Child& child : frame.children) {
        if (!child.key.empty()) {
          object[child.key] = std::move(child.value);
        } else {
          put(object, child.local, std::move(child.value));
        }
      }
      return object;
    }
    if (local == "Mailbox") return person(frame);
    if (is_person(local) && frame.children.size() == 1 && frame.children.front().local == "Mailbox") {
      return std::move(frame.children.front().value);
    }
    if (is_recurrence_holder(frame)) return recurrence(frame);
    if (local == "ResolutionSet" && frame.attributes.empty()) return array_of(frame);
    if (local == "ResolutionSet") {
      json::object object = attributes_of(frame);
      object["resolutions"] = array_of(frame);
      return object;
    }
    if (local == "Notification") return notification(frame);
    if (frame.attributes.empty() && (is_list(local) || is_plural_of_children(frame))) return array_of(frame);
    if (local == "ItemChange" || local == "FolderChange") return change_request(frame);
    json::object object = attributes_of(frame);
    if (local.ends_with("Attachment") && (parent == "Attachments")) return attachment(frame);
    if (parent == "Changes") return change(frame);
    for (Child& child : frame.children) {
      if (child.local == "ItemId" || child.local == "FolderId") {
        flatten_id(object, child);
      } else {
        put(object, child.local, std::move(child.value));
      }
    }
    return object;
  }

  static json::array array_of(Frame& frame) {
    json::array out;
    out.reserve(frame.children.size());
    for (Child& child : frame.children) {
      if (child.local == "ItemId" || child.local == "FolderId") {
        json::object object;
        flatten_id(object, child);
        out.push_back(std::move(object));
      } else {
        out.push_back(std::move(child.value));
      }
    }
    return out;
  }

  /// {id, changeKey} → itemId and changeKey of the object that has it.
  static void flatten_id(json::object& object, Child& child) {
    json::object* id = child.value.if_object();
    if (id == nullptr || !id->contains("id")) {
      put(object, child.local, std::move(child.value));
      return;
    }
    object[lower_camel(child.local)] = id->at("id");
    if (const json::value* key = id->if_contains("changeKey")) object["changeKey"] = *key;
  }

  static bool is_plural_of_children(const Frame& frame) {
    const std::string& child = frame.children.front().local;
    if (frame.local != child + "s" && frame.local != child + "es" && !frame.local.starts_with("ArrayOf"))
      return false;
    return std::ranges::all_of(frame.children, [&](const Child& c) { return c.local == child; });
  }

  static json::value person(Frame& frame) {
    json::object out;
    for (Child& child : frame.children) {
      // SMTP is what an address is unless something else is said.
      if (child.local == "RoutingType" && child.value.is_string() &&
          text::equals_ignore_case(child.value.get_string(), "SMTP")) {
        continue;
      }
      if (child.local == "MailboxType") continue;
      if (child.local == "ItemId") {
        flatten_id(out, child);
      } else {
        put(out, child.local, std::move(child.value));
      }
    }
    return out;
  }

  static bool is_recurrence_holder(const Frame& frame) {
    if (frame.children.size() > 2 || !frame.attributes.empty()) return false;
    if (frame.local != "Recurrence" && frame.local != "TaskRecurrence") return false;
    return std::ranges::all_of(frame.children, [](const Child& c) { return is_recurrence_part(c.local); });
  }

  static json::value recurrence(Frame& frame) {
    json::object out;
    for (Child& child : frame.children) {
      json::object part;
      part["type"] = recurrence_type(child.local);
      if (json::object* fields = child.value.if_object()) {
        for (auto& [name, value] : *fields) part[name] = std::move(value);
      }
      out[is_range(child.local) ? "range" : "pattern"] = std::move(part);
    }
    return out;
  }

  static json::value notification(Frame& frame) {
    json::object out;
    json::array events;
    for (Child& child : frame.children) {
      if (child.local.size() > 5 && child.local.ends_with("Event")) {
        json::object event;
        event["type"] = child.local.substr(0, child.local.size() - 5);
        if (json::object* fields = child.value.if_object()) {
          for (auto& [name, value] : *fields) event[name] = std::move(value);
        }
        events.push_back(std::move(event));
      } else {
        put(out, child.local, std::move(child.value));
      }
    }
    out["events"] = std::move(events);
    return out;
  }

  static json::value attachment(Frame& frame) {
    json::object out;
    const std::string_view local = frame.local;
    out["type"] = lower_camel(local.substr(0, local.size() - 10));
    for (Child& child : frame.children) {
      json::object* object = child.value.if_object();
      if (child.local == "AttachmentId" && object != nullptr) {
        for (auto& [name, value] : *object) out[name] = std::move(value);
      } else if (object != nullptr && local == "ItemAttachment") {
        json::object item;
        item["itemType"] = child.local;
        for (auto& [name, value] : *object) item[name] = std::move(value);
        out["item"] = std::move(item);
      } else {
        put(out, child.local, std::move(child.value));
      }
    }
    return out;
  }

  static json::value change(Frame& frame) {
    json::object out;
    out["type"] = frame.local;
    for (Child& child : frame.children) {
      json::object* object = child.value.if_object();
      if (child.local == "ItemId" || child.local == "FolderId") {
        flatten_id(out, child);
      } else if (child.local == "IsRead") {
        out["isRead"] = std::move(child.value);
      } else if (object != nullptr && is_occurrence_list(frame.local)) {
        const bool is_folder =
            object->contains("folderId") || (!object->contains("itemId") && is_folder_element(child.local));
        json::object typed_object;
        typed_object[is_folder ? "folderType" : "itemType"] = child.local;
        for (auto& [name, value] : *object) typed_object[name] = std::move(value);
        for (const std::string_view id : {is_folder ? "folderId" : "itemId", "changeKey", "isRead"}) {
          if (const json::value* value = typed_object.if_contains(id)) out[id] = *value;
        }
        out[is_folder ? "folder" : "item"] = std::move(typed_object);
      } else {
        put(out, child.local, std::move(child.value));
      }
    }
    return out;
  }

  /// One item (or folder) of an update: its id, and what is to be done field by field.
  static json::value change_request(Frame& frame) {
    json::object out;
    for (Child& child : frame.children) {
      if (child.local == "ItemId" || child.local == "FolderId") {
        flatten_id(out, child);
      } else {
        put(out, child.local, std::move(child.value));
      }
    }
    return out;
  }

  /// What depends on the element and its parent together.
  json::value finish_special(const Frame& frame, std::string_view parent, json::value value) {
    json::object* object = value.if_object();
    if (parent == "Updates" && object != nullptr) {
      json::object out;
      out["type"] = frame.local;
      for (auto& [name, field] : *object) out[name] = std::move(field);
      return out;
    }
    if (parent == "Items" || parent == "Folders") {
      json::object out;
      out[parent == "Items" ? "itemType" : "folderType"] = frame.local;
      if (object != nullptr) {
        for (auto& [name, field] : *object) out[name] = std::move(field);
      }
      make_all_day(out);
      return out;
    }
    if (parent == "ItemIds" || parent == "FolderIds") {
      json::object out;
      if (object == nullptr) return value;
      if (frame.local == "ItemId" || frame.local == "FolderId") {
        Child child{frame.local, {}, std::move(value)};
        flatten_id(out, child);
        return out;
      }
      if (frame.local == "DistinguishedFolderId") {
        for (auto& [name, field] : *object)
          out[name == "id" ? json::string_view("distinguishedFolderId") : name] = field;
        return out;
      }
      return value;
    }
    if (object != nullptr) make_all_day(*object);
    if (object != nullptr && (frame.local == "StartTimeZone" || frame.local == "EndTimeZone") &&
        (object->contains("periods") || object->contains("transitions"))) {
      json::object definition;
      for (const std::string_view name : {"periods", "transitionsGroups", "transitions"}) {
        if (json::value* part = object->if_contains(name)) {
          definition[name] = std::move(*part);
          object->erase(name);
        }
      }
      (*object)["definition"] = std::move(definition);
    }
    return value;
  }

  /// Start and end of an all-day event are dates.
  void make_all_day(json::object& item) const {
    const json::value* all_day = item.if_contains("isAllDayEvent");
    if (all_day == nullptr || !all_day->is_bool() || !all_day->get_bool()) return;
    for (const std::string_view name : {"start", "end"}) {
      json::value* value = item.if_contains(name);
      if (value == nullptr || !value->is_string()) continue;
      if (auto date = nearest_date(value->get_string())) *value = json::string(*date);
    }
  }

  json::object answer() {
    json::object out;
    out["operation"] = operation_.empty() ? json::value(nullptr) : json::value(json::string(operation_));
    if (!operation_seen_) direction_ = from_client_ ? "request" : "response";
    out["direction"] = json::string(direction_);
    out["fault"] = std::move(fault_);
    if (is_request()) out["items"] = std::move(request_items_);
    json::array messages;
    const bool by_class = !messages_.empty() || response_messages_seen_;
    for (Message& message : by_class ? messages_ : candidates_) {
      if (!message.is_complete && message.items.empty() && message.folders.empty() && message.changes.empty())
        continue;
      const bool is_complete = message.is_complete;
      json::object told = std::move(message).to_json();
      if (!is_complete) told["incomplete"] = true;
      messages.push_back(std::move(told));
    }
    out["messages"] = std::move(messages);
    if (is_request()) {
      if (!request_folders_.empty()) out["folders"] = std::move(request_folders_);
      if (!request_attachments_.is_null()) out["attachments"] = std::move(request_attachments_);
    }
    if (documents_ > 1) out["envelopes"] = documents_;
    return out;
  }

  xml::SaxReader sax_;
  std::optional<Error> error_;
  std::uint64_t error_line_ = 0;
  std::vector<Frame> frames_;
  std::uint64_t documents_ = 0;

  std::string operation_;
  std::string direction_;
  bool operation_seen_ = false;
  bool from_client_ = false;
  bool in_fault_ = false;
  bool response_messages_seen_ = false;
  bool no_offset_is_utc_ = true;
  json::value fault_ = nullptr;
  std::vector<Message> messages_;
  std::vector<Message> candidates_;
  json::array request_items_;
  json::array request_folders_;
  json::value request_attachments_ = nullptr;
};

Inspector::Inspector(xml::Limits limits) : reader_(std::make_unique<Reader>(limits)) {}
Inspector::~Inspector() = default;

bool Inspector::feed(std::string_view octets) {
  return reader_->feed(octets);
}
json::object Inspector::finish() {
  return reader_->finish();
}

xml::Limits inspect_limits() noexcept {
  xml::Limits limits;
  limits.octets = std::uint64_t{256} << 20;
  limits.elements = 2'000'000;
  return limits;
}

}  // namespace syncline::ews::inspect
