"""What `bench/compare` does; see bench/README.md for how to run it and how to read it.

    command ─► rounds ─► measures ─► server    (core 0)
       │          │          └─────► generator (core 1)
       ▼          ▼
    report ◄── results ◄── quiet (was anybody else running?)
       │
     goals
"""
