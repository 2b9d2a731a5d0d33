// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/types/response_message.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ews/types/item.hpp"
#include "ews/types/requests.hpp"
#include "ews/types/response_code.hpp"

namespace syncline::ews {
namespace {

constexpr std::int64_t longest_back_off_ms = 24 * 60 * 60 * 1000;

Error error_of(std::string code, std::string message, const MessageXml& message_xml) {
  Error error{.domain = code.starts_with("Error") ? ErrorDomain::ews : ErrorDomain::soap,
              .code = code,
              .message = message.empty() ? "the server said nothing more" : std::move(message),
              .retry = retry_class_of(code)};
  error.retry_after = back_off_of(message_xml);
  // An internal error may wrap the throttling answer of a server behind: its name is the inner code.
  if (const auto inner = message_xml.find("InnerErrorResponseCode"); inner != message_xml.end() &&
                                                                     code == "ErrorInternalServerError" &&
                                                                     is_known_response_code(inner->second)) {
    error.code = inner->second;
    error.retry = retry_class_of(inner->second);
  }
  if (error.retry_after && error.retry == RetryClass::never) error.retry = RetryClass::after;
  return error;
}

}  // namespace

std::optional<std::chrono::milliseconds> back_off_of(const MessageXml& message_xml) {
  for (const auto& [name, value] : message_xml) {
    if (!text::equals_ignore_case(name, "BackOffMilliseconds")) continue;
    const auto ms = text::parse_int(text::trim(value));
    if (ms && *ms >= 0) return std::chrono::milliseconds(std::min(*ms, longest_back_off_ms));
  }
  return std::nullopt;
}

bool ResponseStatus::ok() const noexcept {
  if (response_class == ResponseClass::success) return true;
  return response_class == ResponseClass::warning && code != "ErrorBatchProcessingStopped";
}

Error to_error(const ResponseStatus& status) {
  return error_of(status.code, status.text, status.message_xml);
}

Error to_error(const Fault& fault) {
  auto error = error_of(fault.code.empty() ? "fault" : fault.code, fault.message, fault.message_xml);
  if (fault.back_off) error.retry_after = fault.back_off;
  return error;
}

std::string_view element_name_of(ItemKind kind) noexcept {
  switch (kind) {
    case ItemKind::item:
      return "Item";
    case ItemKind::message:
      return "Message";
    case ItemKind::calendar_item:
      return "CalendarItem";
    case ItemKind::contact:
      return "Contact";
    case ItemKind::distribution_list:
      return "DistributionList";
    case ItemKind::meeting_message:
      return "MeetingMessage";
    case ItemKind::meeting_request:
      return "MeetingRequest";
    case ItemKind::meeting_response:
      return "MeetingResponse";
    case ItemKind::meeting_cancellation:
      return "MeetingCancellation";
    case ItemKind::task:
      return "Task";
    case ItemKind::post_item:
      return "PostItem";
    case ItemKind::opaque:
      break;
  }
  return "";
}

std::string_view element_name_of(ResponseObject::Kind kind) noexcept {
  using enum ResponseObject::Kind;
  switch (kind) {
    case accept:
      return "AcceptItem";
    case tentatively_accept:
      return "TentativelyAcceptItem";
    case decline:
      return "DeclineItem";
    case reply:
      return "ReplyToItem";
    case reply_all:
      return "ReplyAllToItem";
    case forward:
      return "ForwardItem";
    case cancel_calendar_item:
      return "CancelCalendarItem";
    case remove_item:
      return "RemoveItem";
    case suppress_read_receipt:
      break;
  }
  return "SuppressReadReceipt";
}

std::string soap_action(std::string_view operation) {
  // The contract gives GetStreamingEvents the action of GetEvents; servers go by the Body.
  if (operation == "GetStreamingEvents") operation = "GetEvents";
  return "http://schemas.microsoft.com/exchange/services/2006/messages/" + std::string(operation);
}

}  // namespace syncline::ews
