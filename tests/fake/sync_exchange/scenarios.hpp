// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the kill test and the cut test play: things that happen on both sides, in steps, with a run after
// each.
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange_organisation.hpp"

namespace syncline::sync::testing {

using Step = std::function<void(ExchangeWorld&, ExchangeOrganisation&)>;
struct Scenario {
  const char* name;
  std::vector<Step> steps;
};
const std::vector<Scenario>& scenarios();

/// How both sides stand at the end.
struct Outcome {
  std::string records;
  std::string items;
  std::map<std::string, int> mails;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// What is done to the run that follows step `step`: before it, and after it.
struct Trouble {
  std::size_t step = ~std::size_t{0};
  std::function<void(ExchangeWorld&, ExchangeOrganisation&)> before = {};
  std::function<void(ExchangeWorld&, ExchangeOrganisation&)> after = {};
};

/// Plays all steps; after the run in trouble the engine starts again and settles. One more run writes
/// nothing.
Outcome play(const Scenario& scenario, const Trouble& trouble = {});
void expect_same(const Outcome& unbroken, const Outcome& broken);

/// SYNCLINE_FULL=1: everything, not samples.
inline bool is_full() {
  const char* full = std::getenv("SYNCLINE_FULL");
  return full != nullptr && std::string_view(full) == "1";
}

}  // namespace syncline::sync::testing
