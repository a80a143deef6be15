#!/usr/bin/env -S node --max-semi-space-size=8 --v8-pool-size=1 --no-allocation-site-pretenuring --no-memory-reducer --heap-growing-percent=100
import './main.js';
