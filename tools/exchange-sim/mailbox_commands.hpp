// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Commands to the mailboxes and to the transport of mail over the control endpoint: {"do": "deliver",
// "mailbox": …, …} in, JSON out.
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"
#include "tools/exchange-sim/transport/transport.hpp"

namespace exchange_sim {

/// Runs one command. Errors: input ("bad-command"), or what the service says. The commands:
/// docs/exchange-sim.md.
syncline::Result<std::string> run_command(ExchangeService& service, Transport& transport,
                                          std::string_view json);

}  // namespace exchange_sim
