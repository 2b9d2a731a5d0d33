// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Delivery reports (RFC 3464): what became of a message, recipient by recipient. Pure.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::sync::plan {

struct RecipientReport {
  std::string address;  ///< Final-Recipient, or Original-Recipient, in lower case
  std::string state;    ///< the Action: "failed", "delayed", "delivered", "relayed", "expanded"
  std::string status;   ///< "5.1.1"; may be empty
};

struct DeliveryReport {
  std::vector<RecipientReport> recipients;
  std::string original_message_id;  ///< "<…>" of the message reported on; empty: the report does not say
  bool empty() const { return recipients.empty(); }
};

/// How much of a report is looked at: what matters stands before the returned message.
constexpr std::size_t delivery_report_limit_octets = std::size_t{256} << 10;

/// Whether an item of this class is a report on delivery ("REPORT.IPM.Note.NDR", "REPORT.IPM.Note.DR").
bool is_delivery_report(std::string_view item_class);

/// Reads the part message/delivery-status and the Message-ID of the returned message or its headers. Reads
/// anything; what is no report gives an empty one.
DeliveryReport read_delivery_report(std::string_view mime);

/// The state of a recipient among those of a record, which are keyed as somebody typed the addresses: a
/// report may write them in another case. Made if there is none.
boost::json::value& recipient_state(boost::json::object& states, std::string_view address);

}  // namespace syncline::sync::plan
