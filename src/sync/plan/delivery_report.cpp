// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/delivery_report.hpp"

#include "base/text.hpp"

namespace syncline::sync::plan {
namespace {

constexpr std::size_t recipients_limit = 1000;

bool starts_with(std::string_view text, std::string_view lower_start) {
  return text.size() >= lower_start.size() &&
         text::equals_ignore_case(text.substr(0, lower_start.size()), lower_start);
}

/// Line by line, with folded ones joined (RFC 5322 section 2.2.3).
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool next(std::string& line) {
    if (rest_.empty()) return false;
    line = take();
    while (!line.empty() && !rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) line += take();
    return true;
  }

 private:
  std::string take() {
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return std::string(line);
  }
  std::string_view rest_;
};

/// "rfc822; ana@example.com" without its type.
std::string address_in(std::string_view value) {
  const std::size_t semicolon = value.find(';');
  if (semicolon != std::string_view::npos) value.remove_prefix(semicolon + 1);
  value = text::trim(value);
  if (value.starts_with('<') && value.ends_with('>')) value = value.substr(1, value.size() - 2);
  return text::to_lower_ascii(value);
}

}  // namespace

bool is_delivery_report(std::string_view item_class) {
  return starts_with(item_class, "report.");
}

DeliveryReport read_delivery_report(std::string_view mime) {
  DeliveryReport report;
  RecipientReport recipient;
  bool in_status = false;
  bool in_returned = false;
  const auto end_recipient = [&] {
    if (!recipient.address.empty() && !recipient.state.empty() && report.recipients.size() < recipients_limit)
      report.recipients.push_back(recipient);
    recipient = {};
  };
  Lines lines(mime.substr(0, delivery_report_limit_octets));
  for (std::string line; lines.next(line);) {
    if (starts_with(line, "content-type:")) {
      const std::string type = text::to_lower_ascii(text::trim(std::string_view(line).substr(13)));
      end_recipient();
      in_status =
          type.starts_with("message/delivery-status") || type.starts_with("message/global-delivery-status");
      in_returned = type.starts_with("message/rfc822") || type.starts_with("text/rfc822-headers") ||
                    type.starts_with("message/global");
      if (in_status) in_returned = false;
      continue;
    }
    if (in_status) {
      const std::string_view text = line;
      if (line.empty()) {
        end_recipient();
      } else if (starts_with(line, "--")) {
        end_recipient();
        in_status = false;
      } else if (starts_with(line, "final-recipient:")) {
        recipient.address = address_in(text.substr(16));
      } else if (starts_with(line, "original-recipient:")) {
        if (recipient.address.empty()) recipient.address = address_in(text.substr(19));
      } else if (starts_with(line, "action:")) {
        recipient.state = text::to_lower_ascii(text::trim(text.substr(7)));
      } else if (starts_with(line, "status:")) {
        recipient.status = text::trim(text.substr(7));
      }
      continue;
    }
    if (in_returned && report.original_message_id.empty() && starts_with(line, "message-id:"))
      report.original_message_id = text::trim(std::string_view(line).substr(11));
  }
  end_recipient();
  return report;
}

boost::json::value& recipient_state(boost::json::object& states, std::string_view address) {
  for (auto& state : states)
    if (text::equals_ignore_case(state.key(), address)) return state.value();
  return states[address];
}

}  // namespace syncline::sync::plan
