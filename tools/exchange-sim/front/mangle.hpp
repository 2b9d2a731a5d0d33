// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Spoils a good answer in the way a fault rule asks for.
#include <string>
#include <string_view>

#include "tools/exchange-sim/front/faults.hpp"

namespace exchange_sim {

/// True for the actions that rewrite an answer's XML.
bool rewrites_xml(Action action) noexcept;

/// The envelope after the rule; unchanged where there is nothing to apply it to (no such element).
std::string rewrite_xml(const FaultRule& rule, const std::string& envelope_xml, std::string_view operation,
                        std::string_view request_xml);

/// gzip octets that inflate to `octets` octets of white space inside an envelope.
std::string gzip_bomb(std::uint64_t octets);

/// A document whose entities would grow to gigabytes.
std::string entity_bomb();

}  // namespace exchange_sim
