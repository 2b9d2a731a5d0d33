// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How often somebody may ask: a bucket for each that fills at a steady rate.
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace syncline::admin::api {

class RateLimit {
 public:
  struct Settings {
    double per_second = 50;
    double at_once = 200;               ///< what a full bucket holds
    std::size_t most_buckets = 10'000;  ///< beyond that, full ones are forgotten, then all
  };
  explicit RateLimit(Settings settings) : settings_(settings) {}

  /// Takes one from the bucket; else when there will be one again.
  std::optional<std::chrono::milliseconds> take(std::string_view whose, SteadyTime now);
  /// Whether there is one, without taking it.
  bool has_one(std::string_view whose, SteadyTime now) const;

 private:
  struct Bucket {
    double level = 0;
    SteadyTime at{};
  };
  double level_of(const Bucket& bucket, SteadyTime now) const;
  void make_room(SteadyTime now);

  Settings settings_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace syncline::admin::api
