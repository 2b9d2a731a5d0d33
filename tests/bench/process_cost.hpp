// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a process has cost so far.
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <string>

namespace syncline::bench {

inline double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// User and system time.
inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

/// From the kernel's status of this program; ru_maxrss counts what its parent held when it was started, too.
inline long peak_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  return 0;
}

}  // namespace syncline::bench
