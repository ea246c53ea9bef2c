def test_smoke(study):
    import pandas as pd
    pd.set_option("display.width",250); pd.set_option("display.max_columns",30); pd.set_option("display.max_rows",100)
    for n in ("thresholds","top_images","filter_claims","filter_words","overlaps"):
        print(study.table(n))
    print(pd.read_csv(study.folder/"scores.csv"))
