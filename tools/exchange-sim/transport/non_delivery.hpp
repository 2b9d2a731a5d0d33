// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The report that comes back to a sender (RFC 3464, as Exchange words it).
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "tools/exchange-sim/post_office.hpp"
#include "tools/exchange-sim/transport/smtp_client.hpp"

namespace exchange_sim {

struct Refusal {
  std::string recipient;
  Verdict verdict;
};

struct ReportNames {
  std::string reporting_host;  ///< who reports: our name
  std::string remote_host;     ///< who refused; empty: we did
  std::string unique;          ///< of this report: for Message-ID and boundary
};

/// The report's octets: what is wrong in words, the same for programs, and the header of the message.
std::string non_delivery_report(const OutgoingMail& mail, const std::vector<Refusal>& refusals,
                                const ReportNames& names, syncline::SystemTime now);

}  // namespace exchange_sim
